import { describe, expect, test } from 'bun:test';
import { median, type Run, ratioOf } from './measure.ts';
import { allOf, atLeast, atMost, row } from './row.ts';

const runs = (...seconds: number[]): Run[] => seconds.map((each) => ({ seconds: each, stderr: '' }));

describe('the figures of the bench', () => {
  test.each([
    [[3], 3],
    [[5, 1, 3], 3],
    [[4, 1, 3, 2], 2.5],
  ])('median(%p) is %d', (numbers, expected) => {
    expect(median(numbers)).toBe(expected);
  });

  test('ratioOf() compares within a round, so that a busy minute counts for both', () => {
    expect(ratioOf(runs(1, 20, 2), runs(2, 40, 4))).toBe(0.5);
  });

  test('row() says whether every goal is met', () => {
    const goal = (ratio: number) =>
      row({ what: 'x', ours: '1', ratio, n: 1, goal: allOf(atMost(ratio, 0.5), atLeast(ratio, 0.2)) });
    expect(goal(0.3333)).toMatchObject({ ratio: 0.33, goal: '≤ 0.5, ≥ 0.2', isMet: true });
    expect(goal(0.0512)).toMatchObject({ ratio: 0.051, isMet: false });
    expect(row({ what: 'x', ours: '1', n: 1 })).toMatchObject({ ratio: null, goal: null, isMet: null });
  });
});
