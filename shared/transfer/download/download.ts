import { existsSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import {
  makeFolder,
  meanwhilePartOf,
  removeDurably,
  renameDurably,
  writeDurably,
} from '../../system/files/durable-file.ts';
import {
  type DownloadState,
  furthest,
  rangesIn,
  readLive,
  readSide,
  textOf,
  withRanges,
} from './download-notes.ts';
import { PartFile, type PartPaths } from './part-file.ts';
import { rangeValidator } from './validators.ts';

/**
 * The bundle on the data partition: the bytes (`.part` until they are complete) and the side file, which says which
 * file they belong to and which of them are proven, that is, survive a power cut. There is one download at a time.
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

  /** The download that can be resumed; undefined if there is none, or the disk holds less than the side file says. */
  read(): DownloadState | undefined {
    const side = furthest(readSide(this.#paths.side), readLive(this.#paths.live));
    if (side === undefined) return undefined;
    const whole = bytesOf(this.path);
    if (side.isWhole) return whole === side.totalBytes ? side : undefined;
    const part = bytesOf(this.#paths.part);
    if (part !== undefined) return part >= (rangesIn(side).at(-1)?.to ?? 0) ? side : undefined;
    // Interrupted between the rename and the note about it.
    const isNamed = whole === side.provenBytes && (side.totalBytes ?? whole) === whole;
    return isNamed ? { ...side, totalBytes: whole, isWhole: true } : undefined;
  }

  /** The `.part` of a killed run that no run can resume; undefined if there is none. */
  get leftover(): string | undefined {
    const { part } = this.#paths;
    if (bytesOf(part) === undefined) return undefined;
    const side = this.read();
    const isResumable =
      side !== undefined && !side.isWhole && side.totalBytes !== null && rangeValidator(side) !== undefined;
    return isResumable ? undefined : part;
  }

  /** Bytes on disk that a new download replaces. */
  get occupiedBytes(): number {
    return (bytesOf(this.#paths.part) ?? 0) + (bytesOf(this.path) ?? 0);
  }

  /** Resumes with the bytes in the note, and no others. If the first byte is not among them, it starts with none. */
  open(side: DownloadState): PartFile {
    makeFolder(this.#folder);
    if (side.provenBytes === 0) this.discard();
    return new PartFile(this.#paths, side.provenBytes === 0 ? withRanges(side, []) : side);
  }

  /** Called when all bytes are proven: gives the file its final name, and the next run finds it whole. */
  finish(side: DownloadState): void {
    renameDurably(this.#paths.part, this.path);
    writeDurably(this.#paths.side, textOf({ ...side, isWhole: true }), 0o600);
    this.#removePassing();
  }

  discard(): void {
    const { side, part } = this.#paths;
    this.#removePassing();
    for (const path of [side, part, this.path]) if (existsSync(path)) removeDurably(path);
  }

  /** These files are not used after a power cut: no need to wait for the disk. */
  #removePassing(): void {
    const { live, side } = this.#paths;
    for (const path of [live, meanwhilePartOf(live), meanwhilePartOf(side)]) rmSync(path, { force: true });
  }
}

function bytesOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.size;
}
