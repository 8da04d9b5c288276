import type { Concurrency } from './concurrency.ts';
import { bytesIn, firstGap, type Range, withRange } from './ranges.ts';

/** Which bytes of a file to ask for next, and when to sync those that have arrived. */

const mebibyte = 1024 * 1024;
/** The most bytes that may be lost: a kill loses those of running requests, a power cut also those that are not synced. */
const mostAtRisk = mebibyte;

/** The state of a fetch. */
export interface Standing {
  written: readonly Range[];
  /** The ranges of running requests. */
  asked: readonly Range[];
  /** Unknown before the first answer. */
  totalBytes: number | undefined;
  /** The bytes that survive a power cut. */
  proven: readonly Range[];
}

/** Whether to sync now: at a quarter of the limit, because the rest is for running requests, whose bytes arrive meanwhile. */
export function shouldProve({ written, proven }: Standing): boolean {
  return bytesIn(written) - bytesIn(proven) >= mostAtRisk / 4;
}

/** The next bytes to ask for; undefined if there are none, or if other bytes have to arrive or be proven first. */
export function nextPiece(
  standing: Standing,
  { bytes, lanes }: Concurrency,
  largePieceBytes?: number,
): Range | undefined {
  if (largePieceBytes !== undefined) return largePiece(standing, largePieceBytes);
  const { written, asked, totalBytes, proven } = standing;
  // Only the first answer says which file the bytes belong to; until then a second request could get those of another file.
  if (asked.length >= (totalBytes === undefined ? 1 : lanes)) return undefined;
  const fileEnd = totalBytes ?? Number.POSITIVE_INFINITY;
  const taken = asked.reduce<Range[]>(withRange, [...written]);
  const { from, to } = firstGap(taken, fileEnd);
  const wanted = Math.min(to - from, bytes);
  const room = mostAtRisk - (bytesIn(taken) - bytesIn(proven));
  // A piece for only the little room that is left would cost a round trip of its own.
  const allowed = room >= wanted || asked.length === 0 ? Math.min(room, wanted) : 0;
  return allowed > 0 ? { from, to: from + allowed } : undefined;
}

/** One large request at a time needs no limit: its bytes arrive in order, and all that have arrived are kept. */
function largePiece({ written, asked, totalBytes }: Standing, bytes: number): Range | undefined {
  if (asked.length > 0) return undefined;
  const gap = firstGap(written, totalBytes ?? Number.POSITIVE_INFINITY);
  const to = Math.min(gap.to, gap.from + bytes);
  return to > gap.from ? { from: gap.from, to } : undefined;
}
