import { closeSync, openSync, readFileSync, renameSync, writeFileSync, writeSync } from 'node:fs';
import * as v from 'valibot';
import { meanwhilePartOf } from '../../system/files/durable-file.ts';
import { bootId } from '../../system/places.ts';
import { bytesIn, type Range, withRange } from './ranges.ts';

/** The notes beside the bytes of a download: which file the bytes belong to, and which of them are reliable. */

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const facts = {
  url: v.string(),
  etag: v.nullable(v.string()),
  lastModified: v.nullable(v.string()),
  totalBytes: v.nullable(count),
  provenBytes: count,
  isWhole: v.boolean(),
};
/** Format 2 is written only if there are bytes behind a gap, so that older versions of the updater can read the rest. */
const sideSchema = v.variant('format', [
  v.object({ format: v.literal(1), ...facts }),
  v.object({ format: v.literal(2), ...facts, later: v.array(v.object({ from: count, to: count })) }),
]);

export interface DownloadState {
  url: string;
  etag: string | null;
  lastModified: string | null;
  totalBytes: number | null;
  /** The number of proven bytes from the start. */
  provenBytes: number;
  /** The proven bytes behind the first gap. */
  later: readonly Range[];
  isWhole: boolean;
}

/** A note that is valid until the next boot: it is at least in the system's memory, where it outlives a killed program. */
const liveSchema = v.looseObject({ bootId: v.string(), side: sideSchema });

/**
 * Notes after each write which bytes are there. Not synced: it is valid only in the boot in which it was written,
 * where the writes of a killed program are kept.
 */
export class LiveNote {
  readonly #descriptor: number;
  readonly #bootId = bootId();
  /** The file is written over in its place: a shorter text has to cover a longer one. */
  #longest = 0;

  constructor(path: string, side: DownloadState) {
    const next = meanwhilePartOf(path);
    writeFileSync(next, this.#textOf(side), { mode: 0o600 });
    renameSync(next, path);
    this.#descriptor = openSync(path, 'r+');
  }

  put(side: DownloadState): void {
    writeSync(this.#descriptor, this.#textOf(side), 0);
  }

  #textOf(side: DownloadState): string {
    const text = JSON.stringify({ bootId: this.#bootId, side: noteOf(side) });
    this.#longest = Math.max(this.#longest, text.length);
    return `${text.padEnd(this.#longest)}\n`;
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}

/** Of two notes about the same download, returns the one with more bytes. */
export function furthest(
  side: DownloadState | undefined,
  live: DownloadState | undefined,
): DownloadState | undefined {
  if (side === undefined || live === undefined) return side ?? live;
  const isSame =
    side.url === live.url &&
    side.etag === live.etag &&
    side.lastModified === live.lastModified &&
    side.totalBytes === live.totalBytes;
  return isSame && !side.isWhole && bytesIn(rangesIn(live)) > bytesIn(rangesIn(side)) ? live : side;
}

/** The byte ranges in the note. */
export function rangesIn({ provenBytes, later }: DownloadState): Range[] {
  return [{ from: 0, to: provenBytes }, ...later].reduce<Range[]>(withRange, []);
}

/** The same download with these bytes. */
export function withRanges(side: DownloadState, ranges: readonly Range[]): DownloadState {
  const [first, ...others] = ranges;
  return first?.from === 0
    ? { ...side, provenBytes: first.to, later: others }
    : { ...side, provenBytes: 0, later: ranges };
}

export function readLive(path: string): DownloadState | undefined {
  try {
    const live = v.parse(liveSchema, JSON.parse(readFileSync(path, 'utf8')));
    return live.bootId === bootId() ? sideOf(live.side) : undefined;
  } catch {
    return undefined;
  }
}

export function readSide(path: string): DownloadState | undefined {
  try {
    return sideOf(v.parse(sideSchema, JSON.parse(readFileSync(path, 'utf8'))));
  } catch {
    // Missing, torn or of another version: the bytes beside it are of unknown origin.
    return undefined;
  }
}

export function textOf(side: DownloadState): string {
  return `${JSON.stringify(noteOf(side))}\n`;
}

type Note = v.InferOutput<typeof sideSchema>;

function sideOf({ format: _, ...note }: Note): DownloadState {
  return { later: [], ...note };
}

function noteOf({ later, ...side }: DownloadState): Note {
  return later.length === 0 ? { format: 1, ...side } : { format: 2, ...side, later: [...later] };
}
