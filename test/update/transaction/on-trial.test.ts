import { describe, expect, test } from 'bun:test';
import { isOnTrial } from '../../../shared/update/transaction/on-trial.ts';
import type { State } from '../../../shared/update/transaction/transaction.ts';
import { transactionAt } from '../../support/scene/transactions.ts';

describe('isOnTrial()', () => {
  const running = { bootId: 'this-boot', runningVersion: '1.1.0' };
  const rows: [State, inItsSlot: boolean][] = [
    ['preparing', false],
    ['installing', false],
    ['installed', true],
    ['trial', true],
    ['migrated', true],
    ['rolled-back', true],
    ['committed', false],
    ['failed', false],
    ['fallen-back', true],
  ];
  test.each(rows)(
    'for an open "%s" is %p when its version runs, and false when another does',
    (state, is) => {
      expect(isOnTrial(transactionAt(state), running)).toBe(is);
      expect(isOnTrial(transactionAt(state), { ...running, runningVersion: '1.0.0' })).toBe(false);
      expect(isOnTrial(transactionAt(state), { ...running, runningVersion: undefined })).toBe(false);
      expect(isOnTrial(transactionAt(state, { isClosed: true }), running)).toBe(false);
    },
  );

  test('is false when the update was installed in this very boot, or there is none', () => {
    expect(isOnTrial(transactionAt('migrated', { isByInstall: true }), running)).toBe(false);
    expect(isOnTrial(transactionAt('installed', { bootId: 'this-boot' }), running)).toBe(false);
    expect(isOnTrial(undefined, running)).toBe(false);
  });
});
