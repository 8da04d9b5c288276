import { describe, expect, test } from 'bun:test';
import { readNotified, writeNotified } from '../../../shared/update/report/notified.ts';
import {
  sentBefore,
  unsentVerdicts,
  verdictId,
  verdictMessageOf,
} from '../../../shared/update/report/verdict-message.ts';
import { advance, type Transaction } from '../../../shared/update/transaction/transaction.ts';
import { Scene } from '../../support/scene/scene.ts';
import { transactionAt } from '../../support/scene/transactions.ts';

const history: Transaction[] = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((id) => ({
  ...transactionAt('committed'),
  id,
}));
const idsOf = (transactions: readonly Transaction[]) => transactions.map(({ id }) => id);

describe('untoldVerdicts()', () => {
  test('are only the last one when none was ever reported', () => {
    expect(idsOf(unsentVerdicts(history, { anomalies: [], verdicts: undefined }))).toEqual(['g']);
    expect(unsentVerdicts([], { anomalies: [], verdicts: undefined })).toEqual([]);
    const before = sentBefore(history, { anomalies: [], verdicts: undefined });
    expect(before).toEqual(history.slice(0, -1).map(verdictId));
  });

  test('are the oldest five of those that were not told', () => {
    const verdicts = history.slice(0, 1).map(verdictId);
    expect(idsOf(unsentVerdicts(history, { anomalies: [], verdicts }))).toEqual(['b', 'c', 'd', 'e', 'f']);
    expect(unsentVerdicts(history, { anomalies: [], verdicts: history.map(verdictId) })).toEqual([]);
  });

  test('are none again when more were sent than the file remembers', () => {
    const many = Array.from({ length: 250 }, (_, number) => ({
      ...transactionAt('committed'),
      id: String(number),
    }));
    using scene = new Scene();
    writeNotified(scene.places, { anomalies: [], verdicts: many.map(verdictId) });
    expect(unsentVerdicts(many, readNotified(scene.places))).toEqual([]);
  });

  test('count an update that was committed and later rolled back as two', () => {
    const [committed = transactionAt('committed')] = history;
    const moment = { at: new Date('2026-01-03T00:00:00Z'), bootId: 'x' };
    const given = advance(committed, 'rolled-back', moment, 'an operator asked for it');
    const told = { anomalies: [], verdicts: [verdictId(committed)] };
    expect(unsentVerdicts([committed, given], told)).toEqual([given]);
  });
});

describe('newsOf()', () => {
  test('has nothing secret in it', () => {
    const moment = { at: new Date('2026-01-03T00:00:00Z'), bootId: 'x' };
    const reason = 'not healthy: http: 500 from "https://me:word@core.example/health?token=abcdef"';
    const told = verdictMessageOf(advance(transactionAt('trial'), 'rolled-back', moment, reason), '1.0.0', [
      {
        kind: 'signature',
        id: 'x',
        what: 'the signature of "https://me:word@x/y?sig=abcdef" was refused',
        at: 'x',
      },
    ]);
    expect(JSON.stringify(told)).not.toMatch(/word|abcdef|me:/);
    expect(told.reason).toBe('not healthy: http: 500 from "https://***@core.example/health?token=***"');
  });
});
