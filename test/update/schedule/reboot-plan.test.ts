import { describe, expect, test } from 'bun:test';
import { parseScheduled } from '../../../shared/stack/shutdown.ts';
import { choosePolicy, planReboot, type RebootPlan } from '../../../shared/update/schedule/reboot-plan.ts';
import type { Schedule } from '../../../shared/update/schedule/window.ts';
import { failureOf } from '../../support/failure-of.ts';

const none: Schedule = { windows: [], timeZone: 'UTC' };
const night: Schedule = { windows: [{ days: ['sat'], from: 120, to: 240 }], timeZone: 'UTC' };
/** A Saturday. */
const before = new Date('2026-01-10T01:30:20Z');
const inside = new Date('2026-01-10T02:30:00Z');
const unset = new Date('1970-01-01T00:05:00Z');

function rebootAt(minutes: number, at: string): RebootPlan {
  return { kind: 'reboot', minutes, at: new Date(at) };
}

const rows: [policy: string, Schedule, now: Date, RebootPlan][] = [
  ['+1', none, before, rebootAt(1, '2026-01-10T01:31:20Z')],
  ['+90', night, before, rebootAt(90, '2026-01-10T03:00:20Z')],
  ['now', night, before, rebootAt(0, '2026-01-10T01:30:20Z')],
  ['no', night, inside, { kind: 'none' }],
  ['window', none, before, rebootAt(1, '2026-01-10T01:31:20Z')],
  ['window', night, inside, rebootAt(1, '2026-01-10T02:31:00Z')],
  ['window', night, before, rebootAt(30, '2026-01-10T02:00:20Z')],
  [
    'window',
    night,
    unset,
    { kind: 'none', reason: 'the clock was never set, so it is unknown when the window opens' },
  ],
  ['+5', night, unset, rebootAt(5, '1970-01-01T00:10:00Z')],
];

describe('planReboot()', () => {
  test.each(rows)('of %s', (policy, schedule, now, plan) => {
    expect(planReboot(policy, { schedule, now })).toEqual(plan);
  });
});

describe('choosePolicy()', () => {
  test.each([
    [undefined, undefined, 0, '+1'],
    [undefined, undefined, 1, 'window'],
    [undefined, '+5', 1, '+5'],
    ['now', '+5', 1, 'now'],
  ])('of --reboot %p, config %p and %d windows is %p', (asked, configured, windows, policy) => {
    expect(choosePolicy(asked, configured, windows)).toBe(policy);
  });

  test.each(['later', '5', '+', '+5m', '-1', '+99999'])('refuses %s', async (asked) => {
    const failure = await failureOf(() => choosePolicy(asked, undefined, 0));
    expect(failure.message).toBe(
      `Cannot read --reboot "${asked}": expected now, window, no, or a number of minutes like +5`,
    );
    expect(failure.outcome).toBe('usage');
  });
});

describe('parseScheduled()', () => {
  test.each([
    ['(st) "reboot" 1767323045000000\n', { mode: 'reboot', at: new Date('2026-01-02T03:04:05Z') }],
    ['(st) "dry-reboot" 1767323045000000', { mode: 'dry-reboot', at: new Date('2026-01-02T03:04:05Z') }],
    ['(st) "" 0\n', undefined],
    ['(st) "" 18446744073709551615\n', undefined],
    ['(st) "reboot" 18446744073709551615\n', undefined],
    ['', undefined],
  ])('of %j', (answer, scheduled) => {
    expect(parseScheduled(answer)).toEqual(scheduled);
  });
});
