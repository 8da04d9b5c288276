import { existsSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import {
  makeFolder,
  meanwhilePartOf,
  removeDurably,
  renameDurably,
  writeDurably,
} from '../../system/files/durable-file.ts';
import { furthest, rangesIn, readLive, readSide, type Side, textOf, withRanges } from './download-notes.ts';
import { PartFile, type PartPaths } from './part-file.ts';

/**
 * What is on the data partition of a bundle: the bytes (`.part` until they are all there) and the side file, which says
 * whose they are and how many of them a power cut cannot take away any more. There is one at a time.
 */
export class Download {
  readonly path: string;
  readonly #paths: PartPaths;
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
    this.path = join(folder, 'bundle.raucb');
    this.#paths = {
      part: `${this.path}.part`,
      side: join(folder, 'bundle.json'),
      live: join(folder, 'bundle.live.json'),
    };
  }

  /** What can be gone on with; undefined where there is nothing, or the disk holds less than the side file says. */
  read(): Side | undefined {
    const side = furthest(readSide(this.#paths.side), readLive(this.#paths.live));
    if (side === undefined) return undefined;
    const whole = bytesOf(this.path);
    if (side.isWhole) return whole === side.totalBytes ? side : undefined;
    const part = bytesOf(this.#paths.part);
    if (part !== undefined) return part >= (rangesIn(side).at(-1)?.to ?? 0) ? side : undefined;
    // Cut short between its new name and the note of it.
    const isNamed = whole === side.provenBytes && (side.totalBytes ?? whole) === whole;
    return isNamed ? { ...side, totalBytes: whole, isWhole: true } : undefined;
  }

  /** What a new download takes the place of. */
  get occupiedBytes(): number {
    return (bytesOf(this.#paths.part) ?? 0) + (bytesOf(this.path) ?? 0);
  }

  /** Takes up the bytes that are proved, and no others. Where the first is not, it begins with none. */
  open(side: Side): PartFile {
    makeFolder(this.#folder);
    if (side.provenBytes === 0) this.discard();
    return new PartFile(this.#paths, side.provenBytes === 0 ? withRanges(side, []) : side);
  }

  /** All bytes are proved: from now on it has its name, and the next run finds it whole. */
  finish(side: Side): void {
    renameDurably(this.#paths.part, this.path);
    writeDurably(this.#paths.side, textOf({ ...side, isWhole: true }), 0o600);
    this.#removePassing();
  }

  discard(): void {
    const { side, part } = this.#paths;
    this.#removePassing();
    for (const path of [side, part, this.path]) if (existsSync(path)) removeDurably(path);
  }

  /** Nobody believes them after a power cut: no need to wait for the disk. */
  #removePassing(): void {
    const { live, side } = this.#paths;
    for (const path of [live, meanwhilePartOf(live), meanwhilePartOf(side)]) rmSync(path, { force: true });
  }
}

function bytesOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.size;
}
