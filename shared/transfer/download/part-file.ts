import { closeSync, fdatasync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { promisify } from 'node:util';
import { Failure, reasonOf } from '../../system/failure.ts';
import { writeDurablyMeanwhile } from '../../system/files/durable-file.ts';
import { type DownloadState, LiveNote, rangesIn, textOf, withRanges } from './download-notes.ts';
import { bytesIn, prefixOf, type Range, withRange } from './ranges.ts';

export interface PartPaths {
  part: string;
  side: string;
  live: string;
}

/**
 * The file while bytes arrive, in any order. After a power cut only the bytes that `prove` has synced are used; as
 * long as the system runs, every written byte is used.
 */
export class PartFile {
  readonly #paths: PartPaths;
  readonly #descriptor: number;
  readonly #live: LiveNote;
  #side: DownloadState;
  #written: readonly Range[];

  constructor(paths: PartPaths, side: DownloadState) {
    this.#paths = paths;
    this.#side = side;
    this.#written = rangesIn(side);
    try {
      this.#descriptor = openSync(paths.part, side.provenBytes === 0 ? 'w' : 'r+', 0o600);
      ftruncateSync(this.#descriptor, this.#written.at(-1)?.to ?? 0);
      this.#live = new LiveNote(paths.live, side);
    } catch (error) {
      throw cannotWrite(paths.part, error);
    }
  }

  /** The bytes in this note are on disk. */
  get side(): DownloadState {
    return this.#side;
  }

  get written(): readonly Range[] {
    return this.#written;
  }

  /** Bytes written from the start without a gap, proven or not. */
  get length(): number {
    return prefixOf(this.#written);
  }

  /** All bytes written, proven or not. */
  get bytes(): number {
    return bytesIn(this.#written);
  }

  write(bytes: Uint8Array, at = this.length): void {
    try {
      for (let done = 0; done < bytes.length; )
        done += writeSync(this.#descriptor, bytes, done, bytes.length - done, at + done);
      this.#written = withRange(this.#written, { from: at, to: at + bytes.length });
      this.#live.put(withRanges(this.#side, this.#written));
    } catch (error) {
      throw cannotWrite(this.#paths.part, error);
    }
  }

  /** Syncs the bytes first, then the note about them: if power fails between the two, the older note is still true. */
  async prove(): Promise<void> {
    const written = this.#written;
    try {
      await syncData(this.#descriptor);
      const side = withRanges(this.#side, written);
      await writeDurablyMeanwhile(this.#paths.side, textOf(side), 0o600);
      this.#side = side;
    } catch (error) {
      throw cannotWrite(this.#paths.part, error);
    }
  }

  close(): void {
    closeSync(this.#descriptor);
    this.#live.close();
  }
}

const syncData = promisify(fdatasync);

function cannotWrite(path: string, error: unknown): Failure {
  const isFull = /no space|quota/.test(reasonOf(error));
  return new Failure(`Cannot write "${path}": ${reasonOf(error)}`, {
    outcome: isFull ? 'noSpace' : 'failed',
    cause: error,
  });
}
