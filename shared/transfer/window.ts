import type { Pace } from './pace.ts';
import { firstGap, prefixOf, type Range, withRange } from './ranges.ts';

const mebibyte = 1024 * 1024;
/** What is on its way is lost when the program is killed: of the bytes behind the first gap nothing is noted. */
const mostAhead = mebibyte;
/** What a power cut may cost, however fast the line is. */
const mostUnproven = mebibyte;

/** How a fetch stands. */
export interface Standing {
  written: readonly Range[];
  /** On their way. */
  asked: readonly Range[];
  /** Unknown before the first answer. */
  totalBytes: number | undefined;
  /** A power cut cannot take these away any more. */
  provenBytes: number;
}

/** Half of what may be unproven; the other half comes while the disk is at work. */
export function shouldProve({ written, provenBytes }: Standing): boolean {
  return prefixOf(written) - provenBytes >= mostUnproven / 2;
}

/** The next bytes to ask for; undefined where there are none, or none before something has come or is proved. */
export function nextPiece(
  standing: Standing,
  { bytes, lanes }: Pace,
  largePieceBytes?: number,
): Range | undefined {
  if (largePieceBytes !== undefined) return largePiece(standing, largePieceBytes);
  const { written, asked, totalBytes, provenBytes } = standing;
  // The first answer says whose bytes they are; before it nobody knows what to put them beside.
  if (asked.length >= (totalBytes === undefined ? 1 : lanes)) return undefined;
  const fileEnd = totalBytes ?? Number.POSITIVE_INFINITY;
  const windowEnd = Math.min(prefixOf(written) + mostAhead, provenBytes + mostUnproven);
  const taken = asked.reduce<Range[]>(withRange, [...written]);
  const gap = firstGap(taken, fileEnd);
  const to = Math.min(gap.to, gap.from + bytes);
  if (to <= gap.from) return undefined;
  if (to <= windowEnd) return { from: gap.from, to };
  // A piece of what little room there is would cost a round trip of its own.
  return asked.length === 0 && windowEnd > gap.from ? { from: gap.from, to: windowEnd } : undefined;
}

/** Of what is on its way all is kept that has come in order: one at a time needs no window. */
function largePiece({ written, asked, totalBytes }: Standing, bytes: number): Range | undefined {
  if (asked.length > 0) return undefined;
  const gap = firstGap(written, totalBytes ?? Number.POSITIVE_INFINITY);
  const to = Math.min(gap.to, gap.from + bytes);
  return to > gap.from ? { from: gap.from, to } : undefined;
}
