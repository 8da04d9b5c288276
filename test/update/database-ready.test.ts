import { describe, expect, setDefaultTimeout, test } from 'bun:test';
import { Failure } from '../../shared/system/failure.ts';
import { waitForDatabase } from '../../shared/update/database-ready.ts';
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
    containers: async () => [{ service: 'postgres', restartCount: restarts() }],
    logTail: async () =>
      'LOG:  starting\nFATAL:  could not write lock file "postmaster.pid": No space left on device\n',
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
  });

  test('ends at once when it is told to', async () => {
    const told = AbortSignal.abort(new Failure('told to end'));
    const stack = stackOf({ answersAfter: Number.POSITIVE_INFINITY, restarts: () => 0 });
    expect((await failureOf(() => waitForDatabase(stack, told))).message).toBe('told to end');
  });
});
