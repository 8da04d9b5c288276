import { describe, expect, test } from 'bun:test';
import { downtimeRows } from './downtime.ts';
import { hookTimesOf, roundsFor } from './install-times.ts';
import { median, type Run, ratioOf } from './measure.ts';
import { allOf, atLeast, atMost, row } from './row.ts';
import { readTestRun } from './test-run.ts';

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

  test('hookTimesOf() adds up the programs, and takes the backup from the lines of the log', () => {
    const programs = ['install-check', 'pre-install'].map((program) => ({
      program,
      exitCode: 0,
      ms: 1250,
      lastLine: '',
    }));
    const log = `2026-01-01T00:00:01.000Z pre-install: Stopping "homie-orchestrator"
2026-01-01T00:00:01.500Z pre-install: Backing up "/data/config"
2026-01-01T00:00:03.250Z pre-install: Backed up "/data/config"
2026-01-01T00:00:04.000Z pre-install: The backup is "/data/backups/x" (1 MiB, 3 entries)
`;
    expect(hookTimesOf(programs, log)).toEqual({ programSeconds: 2.5, backupSeconds: 1.75 });
    expect(hookTimesOf([], '')).toEqual({ programSeconds: 0, backupSeconds: 0 });
  });

  test.each([
    [8, 7],
    [30, 7],
    [31, 3],
  ])('roundsFor(%d) is %d', (seconds, rounds) => {
    expect(roundsFor(seconds)).toBe(rounds);
  });

  test('downtimeRows() holds the medians of our updates against the guide’s, and says nothing of one alone', () => {
    const update = { images: 'a', gaps: 2, installSeconds: 60, rebootSeconds: 50, verdictSeconds: 10 };
    const goodUpdates = [30, 10, 34].map((downSeconds) => ({ ...update, downSeconds }));
    const guideUpdates = [110, 130].map((downSeconds) => ({ ...update, downSeconds, gaps: 1 }));
    expect(downtimeRows({ goodUpdates, guideUpdates })).toMatchObject([
      { ours: '30.00 s in 2 gaps', ratio: 0.25, n: 2, goal: '≤ 0.2', isMet: false },
    ]);
    expect(downtimeRows({ goodUpdates })).toEqual([]);
    const others = guideUpdates.map((one) => ({ ...one, images: 'b' }));
    expect(downtimeRows({ goodUpdates, guideUpdates: others })).toEqual([]);
  });

  test.each([
    ['a run that passed', '{"passed":7,"failed":0,"skipped":0,"seconds":2.5}', { tests: 7, seconds: 2.5 }],
    ['one with a failure', '{"passed":6,"failed":1,"skipped":0,"seconds":2.5}', undefined],
    ['one that skipped', '{"passed":6,"failed":0,"skipped":1,"seconds":2.5}', undefined],
    ['another report', '{"format":1}', undefined],
    ['none', '', undefined],
  ])('readTestRun() of %s', (_what, report, expected) => {
    expect(readTestRun(report)).toEqual(expected);
  });
});
