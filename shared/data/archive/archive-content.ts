import { type BigIntStats, closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { errorCodeOf } from '../../system/failure.ts';
import { cannotBackUp, changedWhileBackedUp, shrankWhileBackedUp } from './archive-failure.ts';

/** Links are not followed: a path that was a file when its folder was listed must still be a file. */
const reading = constants.O_RDONLY | constants.O_NOFOLLOW;
const pieceBytes = 512 * 1024;
const smallBytes = 64 * 1024;

/**
 * Reads a small file synchronously: four trips to another thread cost more than its bytes. Undefined if the file is
 * not small, or if opening it would block (another program has a lease on it).
 */
export function readSmall(
  path: string,
  expectedBytes: bigint,
): { bytes: Buffer; stats: BigIntStats } | undefined {
  if (expectedBytes > smallBytes) return undefined;
  let descriptor: number | undefined;
  try {
    descriptor = openSync(path, reading | constants.O_NONBLOCK);
    const stats = fstatSync(descriptor, { bigint: true });
    if (!stats.isFile()) throw changedWhileBackedUp(path);
    if (stats.size > smallBytes) return undefined;
    const bytes = Buffer.allocUnsafe(Number(stats.size));
    for (let filled = 0; filled < bytes.length; ) {
      const read = readSync(descriptor, bytes, filled, bytes.length - filled, null);
      if (read === 0) throw shrankWhileBackedUp(path);
      filled += read;
    }
    return { bytes, stats };
  } catch (error) {
    if (errorCodeOf(error) === 'EAGAIN') return undefined;
    throw cannotBackUp(path, error);
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

/** Reads a file for the backup: exactly as many bytes as the file had when it was opened. */
export class Content {
  readonly stats: BigIntStats;
  readonly #handle: FileHandle;
  readonly #path: string;
  #reading: Promise<unknown> | undefined;

  private constructor(path: string, handle: FileHandle, stats: BigIntStats) {
    this.#path = path;
    this.#handle = handle;
    this.stats = stats;
  }

  static async open(path: string): Promise<Content> {
    let handle: FileHandle | undefined;
    try {
      handle = await open(path, reading);
      const stats = await handle.stat({ bigint: true });
      if (!stats.isFile()) throw changedWhileBackedUp(path);
      return new Content(path, handle, stats);
    } catch (error) {
      await handle?.close();
      throw cannotBackUp(path, error);
    }
  }

  /** Throws a Failure that names the file if it ends too soon: its header already states the size. */
  async *pieces(): AsyncGenerator<Buffer> {
    for (let left = Number(this.stats.size); left > 0; ) {
      const piece = await this.#read(Math.min(left, pieceBytes));
      left -= piece.length;
      yield piece;
    }
  }

  /** Waits for a running read: its descriptor must not be closed meanwhile. */
  async close(): Promise<void> {
    await this.#reading?.catch(() => undefined);
    await this.#handle.close();
  }

  async #read(length: number): Promise<Buffer> {
    const pending = this.#handle.read(Buffer.allocUnsafe(length), 0, length, null);
    this.#reading = pending;
    try {
      const { bytesRead, buffer } = await pending;
      if (bytesRead === 0) throw shrankWhileBackedUp(this.#path);
      return buffer.subarray(0, bytesRead);
    } catch (error) {
      throw cannotBackUp(this.#path, error);
    }
  }
}
