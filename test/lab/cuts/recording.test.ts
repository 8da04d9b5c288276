import { expect, test } from 'bun:test';
import { pauseAfter, replayTo, type Stop } from './recording.ts';

function stop(bootId: string, lastsMs: number): Stop {
  return { state: { card: '', memory: '', bootId }, lastsMs, console: '', bootIds: [] };
}

const stops = [stop('first', 10_000), stop('second', 8_000), stop('third', 12_000)];

test.each([
  { atMs: 0, from: 'first', replayMs: 0 },
  { atMs: 9_999, from: 'first', replayMs: 9_999 },
  // Too near: what the card would still have in its cache is written down at a stop.
  { atMs: 14_999, from: 'first', replayMs: 14_999 },
  { atMs: 15_000, from: 'second', replayMs: 5_000 },
  { atMs: 29_999, from: 'third', replayMs: 11_999 },
])('replayTo() resumes from the $from stop for a cut at $atMs ms', ({ atMs, from, replayMs }) => {
  const found = replayTo(stops, atMs);
  expect({ from: found.stop.state.bootId, replayMs: found.replayMs }).toEqual({ from, replayMs });
});

test('pauseAfter() lets the stops of an hour be few, and those of a quiet machine close', () => {
  expect([0, 9, 10, 20].map(pauseAfter)).toEqual([15_000, 15_000, 30_000, 60_000]);
  let [stops, ms] = [0, 0];
  for (; ms < 3_600_000; stops += 1) ms += pauseAfter(stops);
  expect(stops).toBeLessThan(50);
});
