import type { Pace } from './pace.ts';
import { bytesIn, firstGap, type Range, withRange } from './ranges.ts';

const mebibyte = 1024 * 1024;
/** What is on its way is lost when the program is killed, and in a power cut what is not on disk, too. */
const mostAtRisk = mebibyte;

/** How a fetch stands. */
export interface Standing {
  written: readonly Range[];
  /** On their way. */
  asked: readonly Range[];
  /** Unknown before the first answer. */
  totalBytes: number | undefined;
  /** A power cut cannot take these away any more. */
  proven: readonly Range[];
}

/** The rest is for what is on its way, and comes while the disk is at work. */
export function shouldProve({ written, proven }: Standing): boolean {
  return bytesIn(written) - bytesIn(proven) >= mostAtRisk / 4;
}

/** The next bytes to ask for; undefined where there are none, or none before something has come or is proved. */
export function nextPiece(
  standing: Standing,
  { bytes, lanes }: Pace,
  largePieceBytes?: number,
): Range | undefined {
  if (largePieceBytes !== undefined) return largePiece(standing, largePieceBytes);
  const { written, asked, totalBytes, proven } = standing;
  // The first answer says whose bytes they are; before it nobody knows what to put them beside.
  if (asked.length >= (totalBytes === undefined ? 1 : lanes)) return undefined;
  const fileEnd = totalBytes ?? Number.POSITIVE_INFINITY;
  const taken = asked.reduce<Range[]>(withRange, [...written]);
  const { from, to } = firstGap(taken, fileEnd);
  const wanted = Math.min(to - from, bytes);
  const room = mostAtRisk - (bytesIn(taken) - bytesIn(proven));
  // A piece of what little room there is would cost a round trip of its own.
  const allowed = room >= wanted || asked.length === 0 ? Math.min(room, wanted) : 0;
  return allowed > 0 ? { from, to: from + allowed } : undefined;
}

/** Of what is on its way all is kept that has come in order: one at a time needs no window. */
function largePiece({ written, asked, totalBytes }: Standing, bytes: number): Range | undefined {
  if (asked.length > 0) return undefined;
  const gap = firstGap(written, totalBytes ?? Number.POSITIVE_INFINITY);
  const to = Math.min(gap.to, gap.from + bytes);
  return to > gap.from ? { from: gap.from, to } : undefined;
}
