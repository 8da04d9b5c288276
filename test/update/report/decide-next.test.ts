import { describe, expect, test } from 'bun:test';
import { parseStatus } from '../../../shared/rauc/status.ts';
import { decideNext, type NextFacts } from '../../../shared/update/report/decide-next.ts';
import { type StatusOptions, statusJson } from '../../support/scene/rauc-status.ts';
import { transactionAt } from '../../support/scene/transactions.ts';

const slots = (options: StatusOptions) => parseStatus(statusJson(options));

const quiet: NextFacts = {
  transaction: undefined,
  isUnreadable: false,
  owesUnread: false,
  plan: 'normal',
  slots: slots({ booted: 'rootfs.0' }),
  holder: undefined,
  progress: undefined,
  scheduled: undefined,
  window: { kind: 'always' },
  inhibit: { kind: 'none' },
};
const stays = 'Nothing is under way: slot "rootfs.0" stays.';
const fallsBack = 'If this slot fails to boot, the bootloader falls back to slot "rootfs.1".';
const anyTime = 'Updates may be installed at any time.';
const installed = transactionAt('installed');
const holder = { program: 'update.sh', pid: 7 };
const scheduled = { mode: 'reboot', at: new Date('2026-01-02T03:04:05Z') };
const progress = {
  format: 1,
  pid: 7,
  startedAt: '2026-01-02T03:04:05.000Z',
  source: 'x',
  version: null,
  phase: 'fetching' as const,
  percent: 5,
  message: 'Fetching: 1 MiB of 20 MiB',
};

const rows: [when: string, Partial<NextFacts>, next: string[]][] = [
  ['nothing is under way', {}, [stays, fallsBack, anyTime]],
  [
    'the transaction is damaged',
    { isUnreadable: true },
    [
      stays,
      fallsBack,
      'The last update cannot be read: update.sh repair sets its file aside, and so does the next install.',
    ],
  ],
  [
    'a restore is owed',
    {
      plan: 'stay',
      transaction: { ...transactionAt('rolled-back'), migration: { at: '2026-01-02T03:04:05Z' } },
    },
    [
      'The update to version "1.1.0" was rejected: post-activate closes it, this slot stays.',
      fallsBack,
      'Updates are refused until the data that this one has changed is restored: the next boot restores it.',
    ],
  ],
  [
    'there is no fallback',
    { slots: slots({ booted: 'rootfs.0', bad: ['rootfs.1'] }) },
    [
      stays,
      'There is no fallback: slot "rootfs.1" is out of the boot order. update.sh repair puts it back if it is whole; else the next install fills it.',
      anyTime,
    ],
  ],
  [
    'RAUC cannot read whether there is a fallback',
    { slots: slots({ booted: 'rootfs.0', unknown: ['rootfs.1'] }) },
    [
      stays,
      `It is unknown whether slot "rootfs.1" is a fallback: RAUC cannot read the bootloader's environment. See update.sh doctor.`,
      anyTime,
    ],
  ],
  [
    'the slots were switched',
    { slots: slots({ booted: 'rootfs.0', primary: 'rootfs.1' }) },
    [stays, 'The next boot goes to slot "rootfs.1", which is the primary one.', anyTime],
  ],
  [
    'an update is fetched',
    { holder, progress },
    [
      'update.sh (process 7) is at work: Fetching: 1 MiB of 20 MiB; it does not reboot before it is done.',
      fallsBack,
      anyTime,
    ],
  ],
  [
    'a program is at work, and the progress is of another one',
    { holder, progress: { ...progress, pid: 8 } },
    ['update.sh (process 7) is at work; it does not reboot before it is done.', fallsBack, anyTime],
  ],
  [
    'an update waits for its reboot, and none is scheduled',
    { transaction: installed, plan: 'pending' },
    [
      'The next boot tries version "1.1.0" in slot "rootfs.1": it is committed once it is healthy, else the device goes back by itself.',
      'update.sh cancel keeps the version that runs.',
      'No reboot is scheduled: systemctl reboot.',
      anyTime,
    ],
  ],
  [
    'its reboot is scheduled',
    { transaction: installed, plan: 'pending', scheduled },
    [
      'The next boot tries version "1.1.0" in slot "rootfs.1": it is committed once it is healthy, else the device goes back by itself.',
      'update.sh cancel keeps the version that runs.',
      'A reboot is scheduled for 2026-01-02T03:04:05.000Z (update.sh cancel, or shutdown -c).',
      anyTime,
    ],
  ],
  [
    'an install was left lying',
    { transaction: transactionAt('installing'), plan: 'pending' },
    [
      'The update to version "1.1.0" is "installing", but no program is working on it: update.sh repair closes it, and so does the next boot.',
      anyTime,
    ],
  ],
  [
    'it is on trial',
    { transaction: transactionAt('trial'), plan: 'trial', holder: { program: 'post-activate', pid: 9 } },
    [
      'Version "1.1.0" is on trial: post-activate commits it once it is healthy, else it goes back to the version before it, with its data.',
      'Each unexpected reboot during the trial uses one boot attempt; when none is left, the bootloader falls back.',
      anyTime,
    ],
  ],
  [
    'it did not come up',
    { transaction: installed, plan: 'fallback' },
    ['Version "1.1.0" did not come up: post-activate closes the update and keeps this slot.', anyTime],
  ],
  [
    'it never finished',
    { transaction: transactionAt('installing'), plan: 'unfinished' },
    ['The update to version "1.1.0" never finished: post-activate closes it, this slot stays.', anyTime],
  ],
  [
    'it was rejected, and the version before runs',
    { transaction: transactionAt('rolled-back'), plan: 'stay' },
    [
      'The update to version "1.1.0" was rejected: post-activate closes it, this slot stays.',
      fallsBack,
      anyTime,
    ],
  ],
  [
    'it was rejected, and still runs',
    { transaction: transactionAt('rolled-back'), plan: 'finish-rollback' },
    [
      'The rollback from version "1.1.0" is decided, a reboot carries it out.',
      'No reboot is scheduled: systemctl reboot.',
      anyTime,
    ],
  ],
  [
    'the bootloader booted the rejected version again',
    { transaction: transactionAt('rolled-back', { isClosed: true }), plan: 'go-back' },
    [
      'The bootloader started version "1.1.0" again, which was rejected: post-activate gives the version before it its boot attempts back, and reboots into it.',
      anyTime,
    ],
  ],
  [
    'another version runs than the one installed',
    { transaction: installed, plan: 'reject', slots: undefined },
    [
      'Another version than version "1.1.0" runs in slot "rootfs.1": post-activate rolls back to the version before it, with its data.',
      anyTime,
    ],
  ],
  [
    'RAUC does not answer in a trial',
    { transaction: installed, plan: 'abandon-trial', slots: undefined },
    [
      'RAUC does not answer in the new slot: it reboots until its attempts are used up, then the bootloader falls back.',
      anyTime,
    ],
  ],
  [
    'RAUC does not answer',
    { plan: 'unknown', slots: undefined },
    [
      'The running slot is unknown: nothing is marked, and nothing is installed. See update.sh doctor.',
      anyTime,
    ],
  ],
  [
    'a window is shut',
    { window: { kind: 'outside', opens: new Date('2026-01-03T01:00:00Z'), timeZone: 'Europe/Berlin' } },
    [stays, fallsBack, 'The update window opens at Sat 2026-01-03 02:00 Europe/Berlin (+01:00).'],
  ],
  [
    'the user says no',
    { inhibit: { kind: 'inhibited', reason: 'guests', until: new Date('2026-01-03T01:00:00Z') } },
    [
      stays,
      fallsBack,
      'Updates are inhibited by the file update/inhibit: guests (until 2026-01-03T01:00:00.000Z).',
    ],
  ],
  [
    "the user's no has ended",
    { inhibit: { kind: 'expired', reason: 'guests', until: new Date('2026-01-03T01:00:00Z') } },
    [stays, fallsBack, anyTime],
  ],
];

describe('decideNext()', () => {
  test.each(rows)('when %s', (_when, change, next) => {
    expect(decideNext({ ...quiet, ...change })).toEqual(next);
  });
});
