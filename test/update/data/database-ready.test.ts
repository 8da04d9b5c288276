import { describe, expect, setDefaultTimeout, test } from 'bun:test';
import { Failure } from '../../../shared/system/failure.ts';
import { endsAgainAndAgain, waitForDatabase } from '../../../shared/update/data/database-ready.ts';
import type { Stack } from '../../../shared/update/data/stack.ts';
import { failureOf } from '../../support/failure-of.ts';

setDefaultTimeout(60_000);

/** A stack of a database alone, that answers once it is told to, and whose container has restarted so often. */
function stackOf({ answers, restarts }: { answers: () => boolean; restarts: () => number }): Stack {
  const containers = {
    exec: async () => {
      if (!answers()) throw new Failure('Cannot run "sh" in service "postgres": it does not run');
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
  test.concurrent('waits for one that takes its time, though it has often restarted before', async () => {
    let looks = 0;
    let questions = 0;
    const restarts = () => {
      looks += 1;
      return 40;
    };
    const answers = () => {
      questions += 1;
      return looks === 2;
    };
    await waitForDatabase(stackOf({ answers, restarts }), signal);
    // Looked at twice, it was let be, and asked again.
    expect(looks).toBe(2);
    expect(questions).toBeGreaterThan(2);
  });

  test.concurrent('gives up, in the words of the database, when its container ends again and again', async () => {
    const counts = [40, 48];
    const restarts = () => counts.shift() ?? 48;
    const stack = stackOf({ answers: () => false, restarts });
    const failure = await failureOf(() => waitForDatabase(stack, signal));
    expect(failure.message).toBe(
      'Cannot reach the database: its container ends again and again (FATAL:  could not write lock file "postmaster.pid": No space left on device)',
    );
    expect(failure).toMatchObject({ outcome: 'noSpace' });
  });

  test.concurrent('ends at once when it is told to', async () => {
    const told = AbortSignal.abort(new Failure('told to end'));
    const stack = stackOf({ answers: () => false, restarts: () => 0 });
    expect((await failureOf(() => waitForDatabase(stack, told))).message).toBe('told to end');
  });
});

describe('endsAgainAndAgain()', () => {
  const running = (restartCount: number, atMs = 100_000) => ({ state: 'running', restartCount, atMs });
  const pausing = (restartCount: number, atMs = 100_000) => ({ state: 'restarting', restartCount, atMs });

  test('counts the restarts while Docker still hurries', () => {
    expect(endsAgainAndAgain(running(0), running(7, 120_000))).toBe(false);
    expect(endsAgainAndAgain(running(0), running(8, 120_000))).toBe(true);
    expect(endsAgainAndAgain(running(40), running(47, 120_000))).toBe(false);
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
