/** Bytes of a file: `from` belongs to it, `to` does not. */
export interface Range {
  from: number;
  to: number;
}

/** The ranges with one more, in order and with none touching another. */
export function withRange(ranges: readonly Range[], more: Range): Range[] {
  if (more.to <= more.from) return [...ranges];
  const before = ranges.filter(({ to }) => to < more.from);
  const after = ranges.filter(({ from }) => from > more.to);
  const touching = ranges.slice(before.length, ranges.length - after.length);
  const from = Math.min(more.from, ...touching.map((range) => range.from));
  const to = Math.max(more.to, ...touching.map((range) => range.to));
  return [...before, { from, to }, ...after];
}

/** How many bytes they are, none touching another. */
export function bytesIn(ranges: readonly Range[]): number {
  return ranges.reduce((sum, { from, to }) => sum + to - from, 0);
}

/** How many bytes from the start are there without a gap. */
export function prefixOf([first]: readonly Range[]): number {
  return first?.from === 0 ? first.to : 0;
}

/** The first bytes that are in none of the ranges; it ends at `end` at the latest. */
export function firstGap(ranges: readonly Range[], end: number): Range {
  const from = Math.min(prefixOf(ranges), end);
  const next = ranges.find((range) => range.from > from)?.from ?? end;
  return { from, to: Math.min(next, end) };
}
