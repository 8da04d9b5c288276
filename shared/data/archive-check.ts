import { createReadStream } from 'node:fs';
import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createZstdDecompress } from 'node:zlib';
import { Failure, reasonOf } from '../system/failure.ts';
import { cannotTrust, checkSaved } from './checksum.ts';

const pieces = { highWaterMark: 256 * 1024 };

/**
 * Reads the whole archive, twice: its checksum is the one beside it, and it decodes to a tar that has its end.
 * Throws a Failure that says what is wrong.
 */
export async function verifyArchive(path: string, options: { signal?: AbortSignal } = {}): Promise<void> {
  await checkSaved(path, options.signal);
  try {
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
