import { describe, expect, test } from 'bun:test';
import { backoffMs } from '../../shared/transfer/backoff.ts';
import {
  afterBreak,
  afterWhole,
  firstPace,
  largestAtRate,
  largestPiece,
  type Pace,
} from '../../shared/transfer/piece-size.ts';

describe('backoffMs()', () => {
  test.each([
    [0, 0, 50],
    [0, 1, 100],
    [1, 1, 200],
    [5, 0, 1_600],
    [9, 1, 51_200],
    [10, 1, 60_000],
    [1_000, 1, 60_000],
  ])('after %d tries in vain and with chance %d it is %d ms', (tries, chance, ms) => {
    expect(backoffMs(tries, chance)).toBe(ms);
  });
});

describe('the size of pieces', () => {
  const after = (steps: string): Pace =>
    [...steps].reduce((pace, step) => (step === 'b' ? afterBreak(pace) : afterWhole(pace)), firstPace());

  test.each([
    ['', largestPiece],
    ['wwwwww', largestPiece],
    ['b', largestPiece / 2],
    ['bw', largestPiece / 2],
    ['bww', largestPiece],
    ['bwbw', largestPiece / 4],
    ['wwbwwbwwbww', largestPiece],
    ['bbbbbb', 16 * 1024],
    ['bbbbbbbbbbbb', 16 * 1024],
  ])('after %j is %d', (steps, bytes) => {
    expect(after(steps).bytes).toBe(bytes);
  });

  test.each([
    [undefined, largestPiece],
    [100_000_000, largestPiece],
    [50_000, 500_000],
    [1024, 16 * 1024],
  ])('at %p bytes a second is at most %d', (bytesPerSecond, bytes) => {
    expect(largestAtRate(bytesPerSecond)).toBe(bytes);
  });
});
