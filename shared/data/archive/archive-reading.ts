import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream';
import { createZstdDecompress } from 'node:zlib';
import { isOverSoon } from './archive-progress.ts';

const pieceBytes = 256 * 1024;

/** Reads an archive once: gives the tar in it, and the checksum of the archive file. */
export class ArchiveReading {
  readonly #hash = createHash('sha256');
  readonly #end = new TarEnd();
  readonly #pieces: AsyncGenerator<Buffer, void>;
  #failure: { error: unknown } | undefined;

  constructor(path: string, signal: AbortSignal) {
    this.#pieces = this.#read(path, signal);
  }

  /** The part of the tar that has not been read yet; a caller may stop early. Throws if it cannot be read or decoded. */
  get tar(): AsyncIterable<Buffer> {
    const next = () => this.#pieces.next();
    return { [Symbol.asyncIterator]: () => ({ next }) };
  }

  /** Reads the rest. Throws the error of this read or of an earlier one. */
  async finish(): Promise<{ sha256: string; hasEnd: boolean }> {
    for await (const _ of this.#pieces);
    if (this.#failure !== undefined) throw this.#failure.error;
    return { sha256: this.#hash.digest('hex'), hasEnd: this.#end.isThere };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pieces.return();
  }

  async *#read(path: string, signal: AbortSignal): AsyncGenerator<Buffer, void> {
    const hash = this.#hash;
    const file = createReadStream(path, { highWaterMark: pieceBytes, signal });
    const { promise: closed, resolve: tellClosed } = Promise.withResolvers<void>();
    file.once('close', tellClosed);
    const hashed = async function* (pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
      for await (const piece of pieces) {
        hash.update(piece);
        yield piece;
      }
    };
    // A stream that fails before the decoder destroys the decoder with its error, and the loop below throws that error.
    const decoder = pipeline(file, hashed, createZstdDecompress({ chunkSize: pieceBytes }), () => {});
    try {
      for await (const piece of decoder) {
        this.#end.see(piece);
        yield piece;
      }
    } catch (error) {
      this.#failure = { error };
      throw error;
    } finally {
      await isOverSoon(closed);
    }
  }
}

const tarEndBytes = 1024;

/** tar(5): a tar has whole blocks of 512 bytes, the last two of them empty. */
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
