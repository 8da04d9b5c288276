import { expect, test } from 'bun:test';
import { randomFrom } from './seed.ts';
import { tierOf } from './tier.ts';

test('randomFrom() gives the same numbers for the same seed, others for another, all from 0 to below 1', () => {
  const take = (seed: number): number[] => {
    const next = randomFrom(seed);
    return Array.from({ length: 1000 }, () => next());
  };
  expect(take(7)).toEqual(take(7));
  expect(take(8)).not.toEqual(take(7));
  for (const number of take(7)) {
    expect(number).toBeGreaterThanOrEqual(0);
    expect(number).toBeLessThan(1);
  }
  const tenths = new Set(take(7).map((number) => Math.floor(number * 10)));
  expect(tenths.size).toBe(10);
});

test('tierOf() is quick where nothing is said, and takes no word that is no tier', () => {
  expect([tierOf(), tierOf('all'), tierOf('deep')]).toEqual(['quick', 'all', 'deep']);
  expect(() => tierOf('depp')).toThrow('HOMIE_TIER is "depp"');
});
