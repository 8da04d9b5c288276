import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { largestPiece, mostLanes } from '../../../shared/transfer/download/concurrency.ts';
import { nextPiece, type Standing, shouldProve } from '../../../shared/transfer/download/next-range.ts';
import {
  bytesIn,
  firstGap,
  prefixOf,
  type Range,
  withRange,
} from '../../../shared/transfer/download/ranges.ts';

const kibibyte = 1024;
const mebibyte = 1024 * kibibyte;
const total = 10 * mebibyte;
const pace = { bytes: largestPiece, lanes: mostLanes, mostLanes };

/** In KiB. */
const kib = (...pairs: [number, number][]): Range[] =>
  pairs.map(([from, to]) => ({ from: from * kibibyte, to: to * kibibyte }));

function standing(given: Partial<Standing>): Standing {
  return { written: [], asked: [], totalBytes: total, proven: [], ...given };
}

describe('nextPiece() where requests are counted', () => {
  test.each<[string, Partial<Standing>, Range | undefined]>([
    ['begins at the start', { totalBytes: undefined }, kib([0, 4096])[0]],
    ['has one on its way', { asked: kib([0, 4096]) }, undefined],
    ['resumes behind the downloaded bytes, proved or not', { written: kib([0, 4096]) }, kib([4096, 8192])[0]],
    ['ends at the end', { written: kib([0, 8192]) }, kib([8192, 10_240])[0]],
    ['ends', { written: kib([0, 10_240]) }, undefined],
  ])('%s', (_, given, piece) => {
    expect(nextPiece(standing(given), pace, 4 * mebibyte)).toEqual(piece);
  });
});

describe('nextPiece()', () => {
  test.each<[string, Partial<Standing>, Range | undefined]>([
    ['begins at the start', { totalBytes: undefined }, kib([0, 256])[0]],
    ['waits for the first answer alone', { totalBytes: undefined, asked: kib([0, 256]) }, undefined],
    ['continues behind the requested bytes', { asked: kib([0, 256]) }, kib([256, 512])[0]],
    [
      'has no more on its way than lanes',
      { asked: kib([0, 1], [1, 2], [2, 3], [3, 4], [4, 5], [5, 6]) },
      undefined,
    ],
    ['fills a gap first', { written: kib([0, 100], [300, 400]), asked: [] }, kib([100, 300])[0]],
    [
      'does not wait for a slow piece, if the bytes behind it are on disk',
      { written: kib([256, 5120]), proven: kib([256, 5120]), asked: kib([0, 256]) },
      kib([5120, 5376])[0],
    ],
    [
      'has 1 MiB at most unproved or on its way',
      { written: kib([256, 1024]), proven: kib([256, 512]), asked: kib([0, 256], [1024, 1280]) },
      undefined,
    ],
    [
      'continues after the proved bytes',
      { written: kib([0, 1024]), proven: kib([0, 1024]) },
      kib([1024, 1280])[0],
    ],
    ['waits for the disk', { written: kib([0, 1024]) }, undefined],
    [
      'asks for what there is room for, where nothing else is on its way',
      { written: kib([0, 1024]), proven: kib([0, 100]) },
      kib([1024, 1124])[0],
    ],
    [
      'waits for room of a whole piece otherwise',
      { written: kib([0, 900]), asked: kib([900, 950]) },
      undefined,
    ],
    ['ends at the end', { written: kib([0, 10_200]), proven: kib([0, 10_200]) }, kib([10_200, 10_240])[0]],
    ['has nothing more to ask for', { written: kib([0, 10_240]), proven: kib([0, 10_240]) }, undefined],
  ])('%s', (_what, given, expected) => {
    expect(nextPiece(standing(given), pace)).toEqual(expected);
  });
});

describe('a fetch by pieces', () => {
  test('brings every byte once, and has never more than 1 MiB unproved or on its way', () => {
    const size = 3 * mebibyte + 12_345;
    fc.assert(
      fc.property(fc.infiniteStream(fc.nat(1_000_000)), (chances) => {
        const dice = (sides: number): number => (chances.next().value ?? 0) % sides;
        let now = standing({ totalBytes: size });
        let steps = 0;
        while (prefixOf(now.written) < size) {
          steps += 1;
          expect(steps).toBeLessThan(5_000);
          for (let next = nextPiece(now, pace); next !== undefined; next = nextPiece(now, pace)) {
            const { from, to } = next;
            const taken = [...now.written, ...now.asked];
            expect(taken.every((other) => other.to <= from || other.from >= to)).toBe(true);
            expect(to).toBeLessThanOrEqual(size);
            now = { ...now, asked: [...now.asked, next] };
            const wholes = now.asked.reduce<Range[]>(withRange, [...now.written]);
            expect(bytesIn(wholes) - bytesIn(now.proven)).toBeLessThanOrEqual(mebibyte);
          }
          const isDue = shouldProve(now);
          if (isDue && dice(2) === 0) now = { ...now, proven: now.written };
          const piece = now.asked[dice(Math.max(1, now.asked.length))];
          if (piece === undefined) {
            expect(isDue).toBe(true);
            continue;
          }
          // Whole, or a part of it before the line broke.
          const to = dice(3) === 0 ? piece.from + dice(piece.to - piece.from) : piece.to;
          now = {
            ...now,
            asked: now.asked.filter((one) => one !== piece),
            written: withRange(now.written, { from: piece.from, to }),
          };
        }
        expect(now.written).toEqual([{ from: 0, to: size }]);
      }),
      { numRuns: 200, includeErrorInReport: true },
    );
  });
});

describe('withRange()', () => {
  const range = fc.tuple(fc.nat(60), fc.nat(20)).map(([from, length]) => ({ from, to: from + length }));

  test('keeps exactly the bytes of all ranges, in order and apart', () => {
    fc.assert(
      fc.property(fc.array(range, { maxLength: 12 }), (ranges) => {
        const joined = ranges.reduce<Range[]>(withRange, []);
        const isIn = (all: readonly Range[], byte: number): boolean =>
          all.some(({ from, to }) => from <= byte && byte < to);
        for (let byte = 0; byte < 90; byte += 1) expect(isIn(joined, byte)).toBe(isIn(ranges, byte));
        joined.slice(1).forEach(({ from }, index) => {
          expect(from).toBeGreaterThan(joined[index]?.to ?? 0);
        });
        const gap = firstGap(joined, 90);
        for (let byte = 0; byte < gap.from; byte += 1) expect(isIn(joined, byte)).toBe(true);
        for (let byte = gap.from; byte < gap.to; byte += 1) expect(isIn(joined, byte)).toBe(false);
      }),
    );
  });
});
