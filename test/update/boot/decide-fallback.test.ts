import { describe, expect, test } from 'bun:test';
import { parseStatus } from '../../../shared/rauc/status.ts';
import { decideFallback } from '../../../shared/update/boot/decide-fallback.ts';
import { advance, type State, type Transaction } from '../../../shared/update/transaction/transaction.ts';
import { type StatusOptions, statusJson } from '../../support/scene/rauc-status.ts';
import { transactionAt } from '../../support/scene/transactions.ts';

const lost: StatusOptions = { booted: 'rootfs.0', bad: ['rootfs.1'] };

/** An update into the slot that went through these states. */
function update(states: string, slot: string | null = 'rootfs.1'): Transaction {
  const [first, ...others] = states.split(' ') as State[]; // the tables below name states only
  const moment = { at: new Date(0), bootId: 'earlier' };
  const opened = transactionAt(first ?? 'preparing', { slot });
  return others.reduce((transaction, state) => advance(transaction, state, moment), opened);
}

const neverWrote = update('preparing failed');
const committed = update('preparing installing installed trial committed');

const table: [when: string, Transaction[], StatusOptions, expected: 'none' | 'put-back' | RegExp][] = [
  ['the only update failed before RAUC wrote', [neverWrote], lost, 'put-back'],
  ['that one is not even closed', [update('preparing')], lost, 'put-back'],
  ['one failed so twice', [neverWrote, neverWrote], lost, 'put-back'],
  ['the slot holds a version that was committed', [committed, neverWrote], lost, 'put-back'],
  [
    'the running slot was filled in between, with any result',
    [committed, update('preparing installing failed', 'rootfs.0'), neverWrote],
    lost,
    'put-back',
  ],
  ['RAUC had begun to write', [update('preparing installing failed')], lost, /was written into it/],
  ['RAUC may be writing', [update('preparing installing')], lost, /is "installing"/],
  [
    'an older install was interrupted there',
    [update('preparing installing failed'), neverWrote],
    lost,
    /it holds version "1\.1\.0", which is "failed"/,
  ],
  [
    'its content was never tried',
    [update('preparing installing installed failed'), neverWrote],
    lost,
    /which is "failed"/,
  ],
  [
    'its content was rolled back',
    [update('preparing installing installed trial rolled-back'), neverWrote],
    lost,
    /which is "rolled-back"/,
  ],
  [
    'its content was rolled back after its commit',
    [update('preparing installing installed trial committed rolled-back'), neverWrote],
    lost,
    /which is "rolled-back"/,
  ],
  [
    'the bootloader rejected it',
    [update('preparing installing installed fallen-back')],
    lost,
    /is "fallen-back"/,
  ],
  ['it was marked bad after its commit', [committed], lost, /is "committed"/],
  ['no update is recorded', [], lost, /no recorded update took it out/],
  ['hooks ran by hand last', [neverWrote, update('preparing failed', null)], lost, /no recorded update/],
  [
    'hooks that ran by hand may have filled it',
    [update('preparing installing installed failed', null), neverWrote],
    lost,
    /which is "failed"/,
  ],
  ['it is in the boot order', [neverWrote], { booted: 'rootfs.0' }, 'none'],
  ['its boot status is unknown', [neverWrote], { booted: 'rootfs.0', unknown: ['rootfs.1'] }, 'none'],
  ['the other one boots next', [neverWrote], { ...lost, primary: 'rootfs.1' }, 'none'],
  ['no slot boots next', [neverWrote], { ...lost, primary: null }, 'none'],
  ['the running slot is unknown', [neverWrote], { ...lost, booted: null }, 'none'],
];

const written = { ...update('preparing installing failed'), id: 'later' };

const cutShort: [when: string, Transaction[], after: string | null, expected: 'put-back' | RegExp][] = [
  ['no update was ever tried', [], null, 'put-back'],
  ['the slot holds a version that was committed', [committed], committed.id, 'put-back'],
  ['the slot holds one that was never tried', [written], written.id, /which is "failed"/],
  ['a later update is known', [committed, written], committed.id, /was written into it/],
  ['a later update is known, the first one', [written], null, /was written into it/],
  ['an earlier update is not recorded any more', [], 'forgotten', /no recorded update/],
];

describe('decideFallback(), where power failed before pre-install had recorded its begin', () => {
  test.each(cutShort)('answers when %s', (_when, updates, after, expected) => {
    const plan = decideFallback(updates, parseStatus(statusJson(lost)), { version: '1.2.0', after });
    if (expected === 'put-back')
      expect(plan).toEqual({
        kind: 'put-back',
        slot: 'rootfs.1',
        reason: 'version "1.2.0" failed before anything was written into it',
      });
    else expect(plan).toEqual({ kind: 'leave', slot: 'rootfs.1', reason: expect.stringMatching(expected) });
  });

  test('is "none" when the slot was not taken out', () => {
    const slots = parseStatus(statusJson({ booted: 'rootfs.0' }));
    expect(decideFallback([], slots, { version: '1.2.0', after: null })).toEqual({ kind: 'none' });
  });
});

describe('decideFallback()', () => {
  test.each(table)('answers when %s', (_when, updates, status, expected) => {
    const plan = decideFallback(updates, parseStatus(statusJson(status)));
    if (typeof expected === 'string') expect(plan.kind).toBe(expected);
    else expect(plan).toEqual({ kind: 'leave', slot: 'rootfs.1', reason: expect.stringMatching(expected) });
  });

  test('is "none" when there is no other slot', () => {
    const slots = parseStatus(statusJson(lost));
    const alone = { ...slots, all: slots.all.filter(({ isBooted }) => isBooted) };
    expect(decideFallback([neverWrote], alone)).toEqual({ kind: 'none' });
  });
});
