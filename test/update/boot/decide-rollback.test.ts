import { describe, expect, test } from 'bun:test';
import { parseStatus } from '../../../shared/rauc/status.ts';
import { decideRollback } from '../../../shared/update/boot/decide-rollback.ts';
import type { Transaction } from '../../../shared/update/transaction/transaction.ts';
import { type StatusOptions, statusJson } from '../../support/scene/rauc-status.ts';
import { transactionAt } from '../../support/scene/transactions.ts';

const inA: StatusOptions = { booted: 'rootfs.0' };
const inB: StatusOptions = { booted: 'rootfs.1' };
const waitingInB: StatusOptions = { booted: 'rootfs.0', primary: 'rootfs.1' };
const leavingB: StatusOptions = { booted: 'rootfs.1', primary: 'rootfs.0' };
const closed = { isClosed: true };

const cancel = { kind: 'cancel-pending', slot: 'rootfs.0' };
const backToA = { kind: 'switch', slot: 'rootfs.0' };
const toB = { kind: 'switch', slot: 'rootfs.1' };
const refuse = (reason: RegExp) => ({ kind: 'refuse', reason: expect.stringMatching(reason) });

const table: [when: string, Transaction | undefined, StatusOptions, expected: object][] = [
  ['an installed update waits', transactionAt('installed'), waitingInB, cancel],
  ['an install waits that no hook of ours saw', undefined, waitingInB, cancel],
  ['an install waits after an older update', transactionAt('committed', { slot: null }), waitingInB, cancel],
  ['an installed update is no longer the primary one', transactionAt('installed'), inA, cancel],
  ['a committed update runs', transactionAt('committed', closed), inB, backToA],
  ['an update is on trial', transactionAt('trial'), inB, backToA],
  ['a migrated update is on trial', transactionAt('migrated'), inB, backToA],
  ['a trial already leaves', transactionAt('trial'), leavingB, backToA],
  ['it is asked twice', transactionAt('rolled-back', closed), leavingB, backToA],
  ['a rollback was noted but not carried out', transactionAt('rolled-back'), inB, backToA],
  ['a healthy device has no transaction', undefined, inA, toB],
  [
    'the update of before was rolled back',
    transactionAt('rolled-back', closed),
    inA,
    refuse(/rejected here/),
  ],
  ['the bootloader fell back', transactionAt('fallen-back', closed), inA, refuse(/holds version "1.1.0"/)],
  ['the other slot is bad', undefined, { ...inA, bad: ['rootfs.1'] }, refuse(/"rootfs.1" is marked bad/)],
  [
    'the boot status of the other slot is unknown',
    undefined,
    { ...inA, unknown: ['rootfs.1'] },
    refuse(/status of slot "rootfs.1" is unknown: RAUC cannot read/),
  ],
  [
    'an update waits, and no boot status can be read',
    transactionAt('installed'),
    { ...inA, primary: null, unknown: ['rootfs.0', 'rootfs.1'] },
    refuse(/status of slot "rootfs.0" is unknown: RAUC cannot read/),
  ],
  [
    'a trial is left, and only the status of the running slot is unknown',
    transactionAt('trial'),
    { ...inB, unknown: ['rootfs.1'] },
    backToA,
  ],
  ['an install is under way', transactionAt('installing'), inA, refuse(/under way/)],
  ['the running slot is unknown', undefined, { booted: null }, refuse(/does not know which slot runs/)],
];

describe('decideRollback()', () => {
  test.each(table)('answers when %s', (_when, transaction, status, expected) => {
    expect(decideRollback(transaction, parseStatus(statusJson(status)))).toMatchObject(expected);
  });

  test('refuses when the other slot has no bootname, and names that as the reason', () => {
    const slots = parseStatus(statusJson(inA).replace('"boot_status":"good"', '"boot_status":null'));
    expect(decideRollback(undefined, slots)).toMatchObject(refuse(/"rootfs.1" has no bootname/));
  });

  test('refuses when there is no other slot', () => {
    const slots = parseStatus(statusJson(inA));
    const alone = { ...slots, all: slots.all.filter(({ isBooted }) => isBooted) };
    expect(decideRollback(undefined, alone).kind).toBe('refuse');
  });
});
