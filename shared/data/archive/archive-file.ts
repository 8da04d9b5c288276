import { createHash } from 'node:crypto';
import { closeSync, constants, existsSync, fsyncSync, openSync, rmSync, write } from 'node:fs';
import { promisify } from 'node:util';
import { checksumFileOf, publish } from '../../system/files/checksum.ts';
import { isOverSoon } from './archive-progress.ts';

const writeSome = promisify(write);

/**
 * The archive's file while it is written: `<target>.part`, then `<target>.sha256`, then the target itself, so that a
 * visible archive has its checksum even after a power cut. An older archive of that name is kept until then.
 */
export class ArchiveFile {
  readonly #target: string;
  readonly #descriptor: number;
  readonly #hash = createHash('sha256');
  readonly #replaces: boolean;
  #state: 'writing' | 'committing' | 'discarded' = 'writing';
  #writing: Promise<void> = Promise.resolve();
  #bytes = 0;

  constructor(target: string) {
    this.#target = target;
    this.#replaces = existsSync(target);
    rmSync(this.#part, { force: true });
    this.#descriptor = openSync(this.#part, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
  }

  /** Bytes written to the file so far. */
  get bytes(): number {
    return this.#bytes;
  }

  async write(chunk: Buffer): Promise<void> {
    this.#writing = this.#writeAll(chunk);
    await this.#writing;
  }

  /** Makes the archive visible, with its checksum, and returns the checksum. */
  commit(): string {
    fsyncSync(this.#descriptor);
    this.#state = 'committing';
    const sha256 = this.#hash.digest('hex');
    publish(this.#part, this.#target, sha256);
    closeSync(this.#descriptor);
    return sha256;
  }

  /** Leaves nothing of this run behind. */
  async discard(): Promise<void> {
    const keepsOlder = this.#replaces && this.#state === 'writing';
    this.#state = 'discarded';
    // If the descriptor were closed during a pending write, its number could be another file's when the write takes place.
    if (await isOverSoon(this.#writing)) closeSync(this.#descriptor);
    rmSync(this.#part, { force: true });
    if (keepsOlder) return;
    rmSync(this.#target, { force: true });
    rmSync(checksumFileOf(this.#target), { force: true });
  }

  get #part(): string {
    return `${this.#target}.part`;
  }

  async #writeAll(chunk: Buffer): Promise<void> {
    this.#hash.update(chunk);
    for (let written = 0; written < chunk.length; ) {
      if (this.#state !== 'writing') throw new Error('the archive is no longer written');
      const { bytesWritten } = await writeSome(this.#descriptor, chunk, written);
      written += bytesWritten;
      this.#bytes += bytesWritten;
    }
  }
}
