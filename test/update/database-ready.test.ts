import { describe, expect, setDefaultTimeout, test } from 'bun:test';
import { Failure } from '../../shared/system/failure.ts';
import { endsAgainAndAgain, waitForDatabase } from '../../shared/update/database-ready.ts';
import type { Stack } from '../../shared/update/stack.ts';
import { failureOf } from '../support/failure-of.ts';

setDefaultTimeout(60_000);

/** A stack of a database alone, that answers after so many questions and whose container has restarted so often. */
function stackOf({ answersAfter, restarts }: { answersAfter: number; restarts: () => number }): Stack {
  let asked = 0;
  const containers = {
    exec: async () => {
      asked += 1;
      if (asked <= answersAfter) throw new Failure('Cannot run "sh" in service "postgres": it does not run');
      return { exitCode: 0, stdout: '1\n', stderr: '' };
    },
  };
  const compose = {
    containers: async () => [{ service: 'postgres', state: 'running', restartCount: restarts() }],
    logTail: async () =>
      'LOG:  starting\nFATAL:  could not write lock file "postmaster.pid": No space left on device\nFATAL:  checkpoint request failed\n',
  };
  return { database: { containers, service: 'postgres' }, compose } as unknown as Stack;
}

const { signal } = new AbortController();

describe('waitForDatabase()', () => {
  test('waits for one that takes its time, though it has often restarted before', async () => {
    await waitForDatabase(stackOf({ answersAfter: 3, restarts: () => 40 }), signal);
  });

  test('gives up, in the words of the database, when its container ends again and again', async () => {
    const counts = [40, 48];
    const restarts = () => counts.shift() ?? 48;
    const stack = stackOf({ answersAfter: Number.POSITIVE_INFINITY, restarts });
    const failure = await failureOf(() => waitForDatabase(stack, signal));
    expect(failure.message).toBe(
      'Cannot reach the database: its container ends again and again (FATAL:  could not write lock file "postmaster.pid": No space left on device)',
    );
    expect(failure).toMatchObject({ outcome: 'noSpace' });
  });

  test('ends at once when it is told to', async () => {
    const told = AbortSignal.abort(new Failure('told to end'));
    const stack = stackOf({ answersAfter: Number.POSITIVE_INFINITY, restarts: () => 0 });
    expect((await failureOf(() => waitForDatabase(stack, told))).message).toBe('told to end');
  });
});

describe('endsAgainAndAgain()', () => {
  const running = (restartCount: number, atMs = 100_000) => ({ state: 'running', restartCount, atMs });
  const pausing = (restartCount: number, atMs = 100_000) => ({ state: 'restarting', restartCount, atMs });

  test('counts the restarts while Docker still hurries', () => {
    expect(endsAgainAndAgain(running(0), running(7, 120_000))).toBe(false);
    expect(endsAgainAndAgain(running(0), running(8, 120_000))).toBe(true);
  });

  test('waits half a minute where Docker has come to long pauses', () => {
    expect(endsAgainAndAgain(pausing(6), pausing(6, 129_000))).toBe(false);
    expect(endsAgainAndAgain(pausing(6), pausing(6, 130_000))).toBe(true);
    expect(endsAgainAndAgain(running(6), pausing(7, 130_000))).toBe(true);
  });

  test('leaves one alone that runs, be it ever so slow, or has ended for the first time', () => {
    expect(endsAgainAndAgain(pausing(6), running(7, 270_000))).toBe(false);
    expect(endsAgainAndAgain(running(6), running(6, 270_000))).toBe(false);
    expect(endsAgainAndAgain(running(0), pausing(0, 270_000))).toBe(false);
  });
});
