import { PassThrough, Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { constants, createZstdCompress } from 'node:zlib';
import type { TarArchive, TarEntryData } from 'archiver';
import { Content, readSmall } from './archive-content.ts';
import { describeEntry, type EntryData } from './archive-entry.ts';
import { cannotWriteArchive, Vanished } from './archive-failure.ts';
import { ArchiveFile } from './archive-file.ts';
import { isOverSoon, Progress } from './archive-progress.ts';
import { type ArchiveRequest, readRequest } from './archive-request.ts';
import { type LeftOut, type TreeEntry, walkTree } from './tree-walk.ts';

export interface ArchiveOptions {
  folder: string;
  /** The archive's path; `<target>.sha256` is put beside it. */
  target: string;
  /** The folder's name in the archive; by default its own name. */
  rootName?: string;
  signal?: AbortSignal;
  /** How long nothing may move before the backup is abandoned. */
  stallMs?: number;
}

export interface ArchiveReport {
  path: string;
  sha256: string;
  bytes: number;
  entries: number;
  leftOut: LeftOut[];
}

/** The settings of `zstd -3`, with the checksum by which a reader detects a damaged frame. */
const compression = {
  chunkSize: 256 * 1024,
  params: { [constants.ZSTD_c_compressionLevel]: 3, [constants.ZSTD_c_checksumFlag]: 1 },
};
const blockBytes = 256 * 1024;

/**
 * Packs the folder into a tar.zst that `tar --zstd --xattrs --xattrs-include='*' --same-owner -xpf` restores
 * exactly. The archive is there whole, with its checksum, or not at all. Throws a Failure.
 */
export async function createArchive(options: ArchiveOptions): Promise<ArchiveReport> {
  const request = readRequest(options);
  const progress = new Progress(`back up "${options.folder}"`, options.stallMs ?? 60_000, options.signal);
  let file: ArchiveFile | undefined;
  try {
    file = new ArchiveFile(request.target);
    const packed = await packTree(request, file, progress);
    return { path: request.target, sha256: file.commit(), bytes: file.bytes, ...packed };
  } catch (error) {
    await file?.discard();
    throw cannotWriteArchive(request.target, file?.bytes ?? 0, error);
  } finally {
    progress.end();
  }
}

async function packTree(
  { folder, rootName }: ArchiveRequest,
  file: ArchiveFile,
  progress: Progress,
): Promise<{ entries: number; leftOut: LeftOut[] }> {
  const { TarArchive } = await import('archiver');
  const archive = new TarArchive();
  archive.on('error', progress.fail);
  archive.on('warning', progress.fail);
  // An error after this stream does not reach archiver: a tar entry that is destroyed throws where no code catches
  // it, and archiver's own abort() throws on a tar. After a failure archiver is left as it is.
  const tar = archive.pipe(new PassThrough());
  const written = writeCompressed(tar, file, progress);
  written.catch(progress.fail);

  const leftOut: LeftOut[] = [];
  let entries = 0;
  try {
    for (const entry of walkTree(folder, rootName, (left) => leftOut.push(left))) {
      progress.moved();
      try {
        await packEntry(archive, entry, progress);
        entries += 1;
      } catch (error) {
        // A later hard link would name a file that is not in the archive.
        if (!(error instanceof Vanished) || entry.stats.nlink > 1n) throw error;
        leftOut.push({ path: entry.name, kind: 'vanished' });
      }
    }
    // Its own promise may never settle; `written` settles when all of the archive is written.
    archive.finalize().catch(progress.fail);
    await progress.orFailure(written);
    return { entries, leftOut };
  } catch (error) {
    tar.destroy();
    await isOverSoon(written);
    throw error;
  }
}

async function writeCompressed(tar: Readable, file: ArchiveFile, progress: Progress): Promise<void> {
  await pipeline(blocksOf(tar, progress), createZstdCompress(compression), async (compressed) => {
    for await (const chunk of compressed) {
      await file.write(chunk);
      progress.moved();
    }
  });
}

/** Joins pieces: each write to the compressor is a trip to another thread, too slow for the 512 bytes of a tar header. */
async function* blocksOf(pieces: AsyncIterable<Buffer>, progress: Progress): AsyncGenerator<Buffer> {
  let waiting: Buffer[] = [];
  let bytes = 0;
  for await (const piece of pieces) {
    progress.moved();
    waiting.push(piece);
    bytes += piece.length;
    if (bytes < blockBytes) continue;
    yield Buffer.concat(waiting);
    waiting = [];
    bytes = 0;
  }
  yield Buffer.concat(waiting);
}

/** Packs one entry at a time: archiver holds queued entries in memory. */
async function packEntry(archive: TarArchive, entry: TreeEntry, progress: Progress): Promise<void> {
  if (entry.kind !== 'file') return await append(archive, Buffer.alloc(0), describeEntry(entry), progress);
  const small = readSmall(entry.path, entry.stats.size);
  if (small !== undefined)
    return await append(archive, small.bytes, describeEntry(entry, small.stats), progress);

  const opening = Content.open(entry.path);
  let source: Readable | undefined;
  try {
    const content = await progress.orFailure(opening);
    source = Readable.from(content.pieces(), { highWaterMark: 1 });
    source.on('error', progress.fail);
    await append(archive, source, describeEntry(entry, content.stats), progress);
  } finally {
    source?.destroy();
    // A file that opens only after the backup was abandoned is closed too.
    await isOverSoon(opening.then((opened) => opened.close()));
  }
}

async function append(
  archive: TarArchive,
  source: Buffer | Readable,
  data: EntryData,
  progress: Progress,
): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  archive.once('entry', () => resolve());
  // archiver's types lack fields that its tar plugin passes to tar-stream.
  archive.append(source, data as unknown as TarEntryData);
  await progress.orFailure(promise);
}
