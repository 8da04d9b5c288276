import { expect, test } from 'bun:test';
import { randomFrom, seed, seedOf } from './seed.ts';
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

test('seedOf() takes a number, decimal or hexadecimal, and no other word', () => {
  expect([seedOf('0'), seedOf('12'), seedOf('0x7623a8bf')]).toEqual([0, 12, 0x7623a8bf]);
  for (const word of ['', '7623a8bf', '-1', '1.5', '0x'])
    expect(() => seedOf(word)).toThrow(`HOMIE_SEED is "${word}"`);
  expect(Number.isSafeInteger(seedOf(undefined))).toBe(true);
  expect(Number.isSafeInteger(seed)).toBe(true);
});

test('tierOf() is quick where nothing is said, and takes no word that is no tier', () => {
  expect([tierOf(), tierOf('all'), tierOf('deep')]).toEqual(['quick', 'all', 'deep']);
  expect(() => tierOf('depp')).toThrow('HOMIE_TIER is "depp"');
});
