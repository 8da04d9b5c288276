import { closeSync, openSync, readFileSync, renameSync, writeFileSync, writeSync } from 'node:fs';
import * as v from 'valibot';
import { meanwhilePartOf } from '../system/durable-file.ts';
import { bootId } from '../system/places.ts';

/** What lies beside the bytes of a download: whose they are, and how far they can be believed. */

const sideSchema = v.looseObject({
  format: v.literal(1),
  url: v.string(),
  etag: v.nullable(v.string()),
  lastModified: v.nullable(v.string()),
  totalBytes: v.nullable(v.pipe(v.number(), v.safeInteger(), v.minValue(0))),
  provenBytes: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  isWhole: v.boolean(),
});

export type Side = v.InferOutput<typeof sideSchema>;

/** What stands until the next boot, in the system's memory at least: a killed program cannot take it along. */
const liveSchema = v.looseObject({ bootId: v.string(), side: sideSchema });

/**
 * Says beside the bytes how far they go, after each write. Not synced: it is good for the boot that it was written in,
 * where a program may be killed but what it has written stays. It only grows, so that an older text is covered.
 */
export class LiveNote {
  readonly #descriptor: number;
  readonly #bootId = bootId();

  constructor(path: string, side: Side) {
    const next = meanwhilePartOf(path);
    writeFileSync(next, this.#textOf(side), { mode: 0o600 });
    renameSync(next, path);
    this.#descriptor = openSync(path, 'r+');
  }

  put(side: Side): void {
    writeSync(this.#descriptor, this.#textOf(side), 0);
  }

  #textOf(side: Side): string {
    return textOf({ bootId: this.#bootId, side });
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}

/** Of two notes about the same download the one that goes further. */
export function furthest(side: Side | undefined, live: Side | undefined): Side | undefined {
  if (side === undefined || live === undefined) return side ?? live;
  const isSame =
    side.url === live.url &&
    side.etag === live.etag &&
    side.lastModified === live.lastModified &&
    side.totalBytes === live.totalBytes;
  return isSame && !side.isWhole && live.provenBytes > side.provenBytes ? live : side;
}

export function readLive(path: string): Side | undefined {
  try {
    const live = v.parse(liveSchema, JSON.parse(readFileSync(path, 'utf8')));
    return live.bootId === bootId() ? live.side : undefined;
  } catch {
    return undefined;
  }
}

export function readSide(path: string): Side | undefined {
  try {
    return v.parse(sideSchema, JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    // Missing, torn or of another version: the bytes beside it are nobody's.
    return undefined;
  }
}

export function textOf(note: Side | v.InferOutput<typeof liveSchema>): string {
  return `${JSON.stringify(note)}\n`;
}
