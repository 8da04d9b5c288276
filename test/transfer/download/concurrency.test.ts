import { describe, expect, test } from 'bun:test';
import {
  afterBreak,
  afterWhole,
  atRate,
  type Concurrency,
  firstPace,
  largestPiece,
  mostLanes,
  oneByOne,
} from '../../../shared/transfer/download/concurrency.ts';
import { backoffMs } from '../../../shared/transfer/request/backoff.ts';

const kibibyte = 1024;

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

describe('the pace', () => {
  const steps: Record<string, (pace: Concurrency) => Concurrency> = {
    w: (pace) => afterWhole(pace, 1_000_000),
    s: (pace) => afterWhole(pace, 16 * kibibyte - 1),
    b: afterBreak,
    1: oneByOne,
  };
  const after = (names: string): Concurrency =>
    [...names].reduce((pace, name) => steps[name]?.(pace) ?? pace, firstPace);

  test.each<[names: string, bytes: number, lanes: number]>([
    ['', 16 * kibibyte, 1],
    ['w', 32 * kibibyte, 2],
    ['ww', 64 * kibibyte, 4],
    ['wwww', largestPiece, mostLanes],
    ['wwwwwww', largestPiece, mostLanes],
    ['wwwwb', largestPiece / 2, 1],
    ['wwwwbw', largestPiece, 2],
    ['wwwwbbw', largestPiece / 2, 2],
    ['bbbbbbbbbbbb', 16 * kibibyte, 1],
    ['wwwws', largestPiece, 1],
    ['wwwwsw', largestPiece, 2],
    ['wwww1', largestPiece, 1],
    ['wwww1www', largestPiece, 1],
    ['wwww1bww', largestPiece, 1],
  ])('after %j is %d bytes in %d lanes', (names, bytes, lanes) => {
    expect(after(names)).toMatchObject({ bytes, lanes });
  });

  test.each<[bytesPerSecond: number | undefined, bytes: number, lanes: number]>([
    [undefined, largestPiece, mostLanes],
    [100_000_000, largestPiece, mostLanes],
    [1_000_000, largestPiece, 1],
    [20_000, 200_000, 1],
    [1024, 16 * kibibyte, 1],
  ])('at no more than %p bytes a second is %d bytes in %d lanes', (bytesPerSecond, bytes, lanes) => {
    expect(atRate(after('wwww'), bytesPerSecond)).toMatchObject({ bytes, lanes });
  });
});
