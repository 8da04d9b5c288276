import { describe, expect, test } from 'bun:test';
import { lastVerdict, refuseRolledBack } from '../../../shared/update/admission/rolled-back-before.ts';
import { advance, type State, type Transaction } from '../../../shared/update/transaction/transaction.ts';
import { transactionAt } from '../../support/scene/transactions.ts';

const at = '2026-01-02T03:04:05.000Z';
const became = (state: State, version = '1.1.0'): Transaction => transactionAt(state, { version });

describe('refuseRolledBack()', () => {
  test.each<[string, Transaction[], string | undefined]>([
    ['nothing', [], undefined],
    ['a commit', [became('committed')], undefined],
    ['a failed install, which may be tried again', [became('failed')], undefined],
    ['a rollback of another version', [became('rolled-back', '1.0.9')], undefined],
    ['a rollback that a commit came after', [became('rolled-back'), became('committed')], undefined],
    ['an install that waits for its reboot', [became('rolled-back'), became('installed')], undefined],
    ['a rollback', [became('rolled-back')], `version 1.1.0 was rolled back here at ${at}`],
    [
      'a rollback after a commit',
      [became('committed'), became('rolled-back')],
      `version 1.1.0 was rolled back here at ${at}`,
    ],
    [
      'a fallback',
      [became('fallen-back'), became('committed', '1.2.0')],
      `version 1.1.0 did not come up, the board fell back here at ${at}`,
    ],
  ])('after %s', (_what, transactions, reason) => {
    const refusal = refuseRolledBack('1.1.0', transactions);
    expect(refusal?.reason).toBe(reason);
    if (reason !== undefined)
      expect(refusal).toMatchObject({ outcome: 'incompatible', advice: expect.stringContaining('--force') });
  });

  test('tells why', () => {
    const moment = { at: new Date(at), bootId: 'x' };
    const told = advance(became('trial'), 'rolled-back', moment, 'http: it answers 500');
    expect(refuseRolledBack('1.1.0', [told])?.reason).toEndWith(`at ${at}: http: it answers 500`);
    expect(lastVerdict('1.1.0', [told])).toEqual({
      state: 'rolled-back',
      at,
      reason: 'http: it answers 500',
    });
  });
});
