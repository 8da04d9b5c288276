import { describe, expect, test } from 'bun:test';
import { type BootPlan, decideBoot } from '../../../shared/update/boot/decide-boot.ts';
import { advance, lastStep, type State } from '../../../shared/update/transaction/transaction.ts';
import { transactionAt } from '../../support/scene/transactions.ts';

type Kind = BootPlan['kind'];
/** Which slot runs: the update's, the other, or RAUC does not answer and the version is the new or the old one. */
type Row = [target: Kind, other: Kind, silentNew: Kind, silentOld: Kind];

const boots = [
  ['the new slot', { booted: 'rootfs.1', runningVersion: '1.1.0' }],
  ['the old slot', { booted: 'rootfs.0', runningVersion: '1.0.0' }],
  ['a slot RAUC does not tell, with the new version', { booted: undefined, runningVersion: '1.1.0' }],
  ['a slot RAUC does not tell, with the old version', { booted: undefined, runningVersion: '1.0.0' }],
] as const;

const pending: Row = ['pending', 'pending', 'pending', 'pending'];
const onTrial: Row = ['trial', 'fallback', 'abandon-trial', 'unknown'];
const over: Row = ['normal', 'normal', 'unknown', 'unknown'];
const leaving: Row = ['finish-rollback', 'stay', 'finish-rollback', 'unknown'];
const cut: Row = ['trial', 'unfinished', 'unknown', 'unknown'];

const table: Record<State, { same: Row; later: Row }> = {
  preparing: { same: pending, later: cut },
  installing: { same: pending, later: cut },
  installed: { same: pending, later: onTrial },
  trial: { same: onTrial, later: onTrial },
  migrated: { same: onTrial, later: onTrial },
  'rolled-back': { same: leaving, later: leaving },
  committed: { same: over, later: over },
  failed: { same: over, later: over },
  'fallen-back': { same: leaving, later: leaving },
};
// Object.keys forgets that these are the table's own keys.
const states = Object.keys(table) as State[];

describe('decideBoot()', () => {
  for (const state of states) {
    for (const when of ['same', 'later'] as const) {
      const bootId = when === 'same' ? 'this-boot' : 'earlier-boot';
      for (const [index, [where, facts]] of boots.entries()) {
        const kind = table[state][when][index];
        test(`is ${kind} for an open "${state}" of ${when === 'same' ? 'this' : 'an earlier'} boot in ${where}`, () => {
          const plan = decideBoot(transactionAt(state, { bootId }), { bootId: 'this-boot', ...facts });
          expect(plan.kind).toBe(kind as Kind);
        });
      }
    }
  }

  test.each(states)('passes over an unknown state behind "%s"', (state) => {
    for (const when of ['same', 'later'] as const) {
      const bootId = when === 'same' ? 'this-boot' : 'earlier-boot';
      const known = transactionAt(state, { bootId });
      const step = { ...lastStep(known), state: 'rehearsed' };
      const later = { ...known, steps: [...known.steps, step] };
      const kinds = boots.map(([, facts]) => decideBoot(later, { bootId: 'this-boot', ...facts }).kind);
      expect(kinds).toEqual(table[state][when]);
    }
  });

  test.each([
    ['this-boot', pending],
    ['earlier-boot', cut],
  ] as const)('takes a "migrated" of %s that was no trial for an install', (bootId, row) => {
    const transaction = transactionAt('migrated', { bootId, isByInstall: true });
    const kinds = boots.map(([, facts]) => decideBoot(transaction, { bootId: 'this-boot', ...facts }).kind);
    expect(kinds).toEqual(row);
  });

  test.each(states)('is normal, or unknown without RAUC, when a "%s" is closed', (state) => {
    for (const bootId of ['this-boot', 'earlier-boot']) {
      const closed = transactionAt(state, { bootId, isClosed: true });
      const kinds = boots.map(([, facts]) => decideBoot(closed, { bootId: 'this-boot', ...facts }).kind);
      expect(kinds).toEqual(over);
    }
  });

  test('is normal, or unknown without RAUC, when there is no transaction', () => {
    const kinds = boots.map(([, facts]) => decideBoot(undefined, { bootId: 'this-boot', ...facts }).kind);
    expect(kinds).toEqual(over);
  });

  const byHand: [State, Row][] = [
    ['preparing', ['unfinished', 'unfinished', 'unknown', 'unknown']],
    ['installing', ['unfinished', 'unfinished', 'unknown', 'unknown']],
    ['installed', onTrial],
    ['trial', onTrial],
    ['migrated', onTrial],
    ['rolled-back', leaving],
    ['fallen-back', leaving],
  ];
  test.each(byHand)('goes by the version when a "%s" names no slot', (state, row) => {
    const transaction = transactionAt(state, { slot: null });
    const kinds = boots.map(([, facts]) => decideBoot(transaction, { bootId: 'this-boot', ...facts }).kind);
    expect(kinds).toEqual(row);
  });

  test.each([
    [{ runningVersion: '0.9.0' }, 'reject'],
    [{ runningVersion: undefined, raucVersion: '0.9.0' }, 'reject'],
    [{ runningVersion: undefined, raucVersion: '1.1.0' }, 'trial'],
    [{ runningVersion: undefined, raucVersion: undefined }, 'trial'],
    [{ runningVersion: '1.1.0', raucVersion: '0.9.0' }, 'trial'],
  ] as const)('compares what runs with what was installed: %j is %s', (versions, kind) => {
    for (const state of ['installing', 'installed', 'trial', 'migrated'] as const) {
      const transaction = transactionAt(state);
      const plan = decideBoot(transaction, { bootId: 'this-boot', booted: 'rootfs.1', ...versions });
      const reason = 'slot "rootfs.1" runs version "0.9.0" where "1.1.0" was installed';
      expect(plan).toEqual(kind === 'reject' ? { kind, reason } : { kind });
    }
  });

  test('hands on why it was rolled back', () => {
    const rolledBack = transactionAt('rolled-back');
    const step = { ...rolledBack.steps[0], state: 'rolled-back', reason: 'it answers 500' } as const;
    const transaction = { ...rolledBack, steps: [{ ...transactionAt('trial').steps[0], ...step }] };
    const facts = { bootId: 'this-boot', booted: 'rootfs.1', runningVersion: '1.1.0' };
    // The step is whole: it is made of a whole one.
    expect(decideBoot(transaction as typeof rolledBack, facts)).toEqual({
      kind: 'finish-rollback',
      reason: 'it answers 500',
    });
  });
});

describe('decideBoot() when the bootloader boots a rejected slot again', () => {
  const facts = { bootId: 'this-boot', booted: 'rootfs.1', runningVersion: '1.1.0', isOtherSpent: true };
  const givenUp = transactionAt('rolled-back', { isClosed: true });

  test.each(['rolled-back', 'fallen-back'] as const)('goes back after a "%s"', (state) => {
    expect(decideBoot(transactionAt(state, { isClosed: true }), facts).kind).toBe('go-back');
  });

  test('stays if a user has made this slot active, because the other has attempts left', () => {
    expect(decideBoot(givenUp, { ...facts, isOtherSpent: false }).kind).toBe('normal');
  });

  test('stays in the version before it, and after any other verdict', () => {
    expect(decideBoot(givenUp, { ...facts, booted: 'rootfs.0', runningVersion: '1.0.0' }).kind).toBe(
      'normal',
    );
    for (const state of ['committed', 'failed'] as const)
      expect(decideBoot(transactionAt(state, { isClosed: true }), facts).kind).toBe('normal');
  });

  test('goes back twice and no more: the version before it may be broken', () => {
    let transaction = givenUp;
    for (let times = 0; times < 2; times += 1) {
      const plan = decideBoot(transaction, facts);
      if (plan.kind !== 'go-back') throw new Error(plan.kind);
      const moment = { at: new Date(0), bootId: `boot-${times}` };
      transaction = { ...advance(transaction, 'rolled-back', moment, plan.reason), isClosed: true };
    }
    expect(decideBoot(transaction, facts).kind).toBe('normal');
  });
});
