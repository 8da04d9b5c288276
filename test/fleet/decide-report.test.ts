import { describe, expect, test } from 'bun:test';
import { decideReport } from '../../shared/fleet/decide-report.ts';
import { transactionAt } from '../support/scene/transactions.ts';

describe('decideReport()', () => {
  test('tells a success of what is committed', () => {
    const told = decideReport(transactionAt('committed', { isClosed: true }), '1.1.0');
    expect(told?.isSuccess).toBe(true);
  });

  test('tells a failure, and why, of what was rolled back', () => {
    const last = transactionAt('rolled-back', { isClosed: true, reason: 'http: it answers 503' });
    const told = decideReport(last, '1.1.0');
    expect(told?.isSuccess).toBe(false);
    expect(told?.reason).toContain('http: it answers 503');
  });

  test.each([
    ['no update has run here', undefined, '1.1.0'],
    ['the server names no version', transactionAt('committed'), undefined],
    ['the last update here was another one', transactionAt('committed'), '1.2.0'],
  ])('says nothing where %s', (_what, last, version) => {
    expect(decideReport(last, version)).toBeUndefined();
  });
});
