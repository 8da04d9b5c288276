import { createReadStream } from 'node:fs';
import { Failure, reasonOf } from '../../system/failure.ts';
import { formatBytes } from '../../system/files/disk.ts';
import { Download } from '../download/download.ts';

export interface SpoolOptions {
  /** A folder on the data partition. */
  folder: string;
  /** The source's name, for the messages. */
  name: string;
  mostBytes: number;
  onProgress?: (bytes: number) => void;
  signal: AbortSignal;
}

/** Copies a file from a USB stick, which may be pulled out at any time, and whose file system RAUC may not support. */
export function spoolFile(path: string, options: SpoolOptions): Promise<string> {
  return spool(createReadStream(path, { highWaterMark: 1024 * 1024 }), options);
}

/** Reads stdin to its end. */
export function spoolStdin(options: SpoolOptions): Promise<string> {
  return spool(Bun.stdin.stream(), options);
}

/** Writes the source whole to the disk, in place of any download; returns its path. Throws a Failure. */
async function spool(
  source: AsyncIterable<Uint8Array>,
  { folder, name, mostBytes, onProgress, signal }: SpoolOptions,
): Promise<string> {
  const download = new Download(folder);
  const nobodys = {
    url: '',
    etag: null,
    lastModified: null,
    totalBytes: null,
    provenBytes: 0,
    later: [],
    isWhole: false,
  };
  const part = download.open(nobodys);
  const told = Promise.withResolvers<never>();
  const onAbort = (): void => told.reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  const reading = source[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await Promise.race([reading.next(), told.promise]);
      if (next.done) break;
      if (part.length + next.value.length > mostBytes) throw tooLarge(name, mostBytes);
      part.write(next.value);
      onProgress?.(part.length);
    }
    if (part.length === 0) throw new Failure(`Cannot read "${name}": it is empty`);
    await part.prove();
    download.finish({ ...part.side, totalBytes: part.length });
    return download.path;
  } catch (error) {
    download.discard();
    signal.throwIfAborted();
    throw error instanceof Failure
      ? error
      : new Failure(`Cannot read "${name}": ${reasonOf(error)}`, { cause: error });
  } finally {
    part.close();
    signal.removeEventListener('abort', onAbort);
    told.promise.catch(() => {});
  }
}

function tooLarge(name: string, mostBytes: number): Failure {
  return new Failure(`Cannot read "${name}": it is larger than the allowed ${formatBytes(mostBytes)}`, {
    outcome: 'noSpace',
    advice: 'Free space on the data partition, or raise update.largest_bundle_mib',
  });
}
