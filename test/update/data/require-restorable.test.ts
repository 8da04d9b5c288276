import { describe, expect, test } from 'bun:test';
import { decideRestore } from '../../../shared/update/data/require-restorable.ts';
import { failureOf } from '../../support/failure-of.ts';
import { transactionAt } from '../../support/scene/transactions.ts';

describe('decideRestore()', () => {
  test.each([
    ['there was no update', undefined],
    ['an update is prepared', transactionAt('preparing')],
    ['an update waits for its reboot', transactionAt('installed')],
    ['an update was rolled back', transactionAt('rolled-back')],
    ['an update failed', transactionAt('failed')],
    ['a trial is over', transactionAt('committed', { isClosed: true })],
    ['a trial was closed as it was', transactionAt('migrated', { isClosed: true })],
  ])('lets a restore go on when %s', (_when, transaction) => {
    expect(() => decideRestore(transaction)).not.toThrow();
  });

  test.each(['trial', 'migrated'] as const)('refuses, to be tried later, in a %s', async (state) => {
    const failure = await failureOf(() => decideRestore(transactionAt(state)));
    expect(failure.outcome).toBe('tryLater');
    expect(failure.message).toBe('Cannot restore the data: the update to "1.1.0" is on trial');
    expect(failure.advice).toContain('update.sh rollback');
  });
});
