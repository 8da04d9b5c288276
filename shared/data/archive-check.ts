import { createHash } from 'node:crypto';
import { createReadStream, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createZstdDecompress } from 'node:zlib';
import { Failure, isMissing, reasonOf } from '../system/failure.ts';
import { checksumFileOf } from './archive-file.ts';

const advice = 'Do not restore from it: use an older backup';
const pieces = { highWaterMark: 256 * 1024 };

/**
 * Reads the whole archive, twice: its checksum is the one beside it, and it decodes to a tar that has its end.
 * Throws a Failure that says what is wrong.
 */
export async function verifyArchive(path: string, options: { signal?: AbortSignal } = {}): Promise<void> {
  const expected = readChecksum(path);
  try {
    const hash = createHash('sha256');
    await pipeline(
      createReadStream(path, pieces),
      sinkTo((chunk) => hash.update(chunk)),
      options,
    );
    if (hash.digest('hex') !== expected) throw cannotTrust(path, 'it does not have the checksum beside it');
    // The decoder takes a stream that is cut short, or empty, for a whole one: only the tar's own end tells.
    const end = new TarEnd();
    const decoded = sinkTo((chunk) => end.see(chunk));
    await pipeline(
      createReadStream(path, pieces),
      createZstdDecompress({ chunkSize: pieces.highWaterMark }),
      decoded,
      options,
    );
    if (!end.isThere) throw cannotTrust(path, 'it ends too early');
  } catch (error) {
    if (error instanceof Failure) throw error;
    const reason = options.signal?.aborted ? 'it was told to end' : reasonOf(error);
    throw cannotTrust(path, reason, error);
  }
}

function readChecksum(path: string): string {
  const file = checksumFileOf(path);
  let line: string;
  try {
    line = readFileSync(file, 'utf8');
  } catch (error) {
    throw cannotTrust(path, isMissing(error) ? 'it has no checksum beside it' : reasonOf(error), error);
  }
  const [, checksum, name] = /^([0-9a-f]{64}) [ *](.+)\n?$/.exec(line) ?? [];
  if (checksum === undefined) throw cannotTrust(path, `"${file}" holds no checksum`);
  if (name !== basename(path)) throw cannotTrust(path, `the checksum beside it is that of "${name}"`);
  return checksum;
}

const tarEndBytes = 1024;

/** tar(5): whole blocks of 512 bytes, the last two of them empty. */
class TarEnd {
  #bytes = 0;
  #zeros = 0;

  see(chunk: Buffer): void {
    this.#bytes += chunk.length;
    const tail = chunk.subarray(-tarEndBytes);
    const last = tail.findLastIndex((byte) => byte !== 0);
    this.#zeros = last < 0 ? this.#zeros + tail.length : tail.length - 1 - last;
  }

  get isThere(): boolean {
    return this.#zeros >= tarEndBytes && this.#bytes % 512 === 0;
  }
}

function sinkTo(use: (chunk: Buffer) => void): Writable {
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      use(chunk);
      done();
    },
  });
}

function cannotTrust(path: string, reason: string, cause?: unknown): Failure {
  return new Failure(`Cannot trust the backup "${path}": ${reason}`, { advice, cause });
}
