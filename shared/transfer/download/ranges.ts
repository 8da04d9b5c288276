/** A range of bytes in a file: `from` is included, `to` is not. */
export interface Range {
  from: number;
  to: number;
}

/** Adds a range; the result is in order, and ranges that touch are joined. */
export function withRange(ranges: readonly Range[], more: Range): Range[] {
  if (more.to <= more.from) return [...ranges];
  const before = ranges.filter(({ to }) => to < more.from);
  const after = ranges.filter(({ from }) => from > more.to);
  const touching = ranges.slice(before.length, ranges.length - after.length);
  const from = Math.min(more.from, ...touching.map((range) => range.from));
  const to = Math.max(more.to, ...touching.map((range) => range.to));
  return [...before, { from, to }, ...after];
}

/** The number of bytes in the ranges, which must not overlap. */
export function bytesIn(ranges: readonly Range[]): number {
  return ranges.reduce((sum, { from, to }) => sum + to - from, 0);
}

/** How many bytes from the start are there without a gap. */
export function prefixOf([first]: readonly Range[]): number {
  return first?.from === 0 ? first.to : 0;
}

/** The first gap between the ranges; it ends at `end` at the latest. */
export function firstGap(ranges: readonly Range[], end: number): Range {
  const from = Math.min(prefixOf(ranges), end);
  const next = ranges.find((range) => range.from > from)?.from ?? end;
  return { from, to: Math.min(next, end) };
}
