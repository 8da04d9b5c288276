import { describe, expect, test } from 'bun:test';
import type { LoggedRefusal } from '../../../shared/update/admission/refusal-log.ts';
import { type AnomalyFacts, findAnomalies } from '../../../shared/update/report/find-anomalies.ts';
import { advance, type State, type Transaction } from '../../../shared/update/transaction/transaction.ts';
import { transactionAt } from '../../support/scene/transactions.ts';

const at = '2026-01-02T03:04:05.000Z';
const now = new Date('2026-01-10T00:00:00Z');
const quiet: AnomalyFacts = { updates: [], refusals: [], bootId: 'this-boot', booted: 'rootfs.1', now };

function update(id: string, state: State, version = '1.1.0', reason?: string): Transaction {
  const before = transactionAt('installing', { version });
  const moment = { at: new Date(at), bootId: 'earlier-boot' };
  return { ...advance(before, state, moment, reason), id, isClosed: true };
}

/** In so many boots, of which some were announced. */
function trial(boots: number, attemptsGivenBack = 0): Transaction {
  let so = transactionAt('installed');
  for (let boot = 0; boot < boots; boot += 1) {
    // systemd runs it again in the same boot: that is no further one.
    for (let run = 0; run < 2; run += 1)
      so = advance(so, 'trial', { at: new Date(at), bootId: `boot-${boot}` });
  }
  return { ...so, attemptsGivenBack };
}

function refusal(change: Partial<LoggedRefusal> = {}): LoggedRefusal {
  const source = 'https://updates.example/latest.raucb';
  return {
    format: 1,
    at,
    bootId: 'x',
    outcome: 'signature',
    source,
    version: null,
    reason: 'no signer',
    ...change,
  };
}

const committed = update('a', 'committed');

const rows: [when: string, Partial<AnomalyFacts>, found: string[]][] = [
  ['nothing ever happened', {}, []],
  ['an update was committed', { updates: [committed] }, []],
  [
    'an update was rolled back, and the version before runs',
    { updates: [update('a', 'rolled-back')], booted: 'rootfs.0' },
    [],
  ],

  [
    'a signature was refused',
    { refusals: [refusal()] },
    ['the signature of "https://updates.example/latest.raucb" was refused (no signer)'],
  ],
  [
    'it was refused again',
    { refusals: [refusal(), refusal()] },
    ['the signature of "https://updates.example/latest.raucb" was refused (2 times, no signer)'],
  ],
  ['a refusal was of another kind', { refusals: [refusal({ outcome: 'incompatible' })] }, []],
  ['a refusal is two months old', { refusals: [refusal({ at: '2025-11-10T00:00:00Z' })] }, []],
  [
    'it is as old, but the clock was never set',
    { refusals: [refusal({ at: '2025-11-10T00:00:00Z' })], now: new Date(0) },
    ['the signature of "https://updates.example/latest.raucb" was refused (no signer)'],
  ],

  ['a version failed once', { updates: [update('a', 'failed')], booted: 'rootfs.0' }, []],
  [
    'a version failed twice',
    {
      updates: [update('a', 'failed'), update('b', 'rolled-back', '1.1.0', 'not healthy')],
      booted: 'rootfs.0',
    },
    ['version "1.1.0" has failed 2 times, last as "rolled-back": not healthy'],
  ],
  [
    'two versions failed once each',
    { updates: [update('a', 'failed'), update('b', 'failed', '1.2.0')], booted: 'rootfs.0' },
    [],
  ],
  [
    'an operator cancelled it twice',
    {
      updates: [
        update('a', 'rolled-back', '1.1.0', 'an operator asked for it'),
        update('b', 'rolled-back', '1.1.0', 'an operator asked for it'),
      ],
      booted: 'rootfs.0',
    },
    [],
  ],
  [
    'it failed twice, then was committed',
    { updates: [update('a', 'failed'), update('b', 'failed'), committed] },
    [],
  ],

  [
    'an older version was committed',
    { updates: [update('a', 'committed', '1.2.0'), update('b', 'committed', '1.1.0')] },
    ['version "1.1.0" was committed after the newer "1.2.0"'],
  ],
  [
    'it continued from there',
    {
      updates: ['1.2.0', '1.1.0', '1.3.0'].map((version, index) => update(`${index}`, 'committed', version)),
    },
    [],
  ],
  ['versions are none', { updates: [update('a', 'committed', 'new'), update('b', 'committed', 'old')] }, []],

  [
    'the other slot runs after a commit',
    { updates: [committed], booted: 'rootfs.0' },
    [
      'slot "rootfs.0" runs, though the last update, to "1.1.0" in slot "rootfs.1", was committed: no program on this device asked for the switch',
    ],
  ],
  [
    'the rejected slot runs',
    { updates: [update('a', 'rolled-back')], booted: 'rootfs.1' },
    [
      'slot "rootfs.1" runs, though the last update, to "1.1.0" in slot "rootfs.1", was rolled-back: no program on this device asked for the switch',
    ],
  ],
  ['it was rejected in this boot', { updates: [update('a', 'rolled-back')], bootId: 'earlier-boot' }, []],
  ['the running slot is unknown', { updates: [committed], booted: undefined }, []],
  ['it is not closed', { updates: [{ ...committed, isClosed: false }], booted: 'rootfs.0' }, []],

  ['a trial took one boot', { updates: [trial(1)] }, []],
  [
    'a trial took two',
    { updates: [trial(2)] },
    [
      'the trial of version "1.1.0" was interrupted by a reboot that no program requested (power, a crash, the watchdog)',
    ],
  ],
  ['a trial took two, one announced', { updates: [trial(2, 1)] }, []],
  [
    'a trial took three, none announced',
    { updates: [trial(3)] },
    [
      'the trial of version "1.1.0" was interrupted by 2 reboots that no program requested (power, a crash, the watchdog)',
    ],
  ],
  [
    'the bootloader fell back',
    { updates: [update('a', 'fallen-back')], booted: 'rootfs.0' },
    ['version "1.1.0" has used up its boot attempts, and no boot came up'],
  ],
];

describe('findAnomalies()', () => {
  test.each(rows)('when %s', (_when, change, found) => {
    expect(findAnomalies({ ...quiet, ...change }).map(({ what }) => what)).toEqual(found);
  });

  test('names the same matter the same, and a further one differently', () => {
    const ids = (facts: Partial<AnomalyFacts>) => findAnomalies({ ...quiet, ...facts }).map(({ id }) => id);
    expect(ids({ refusals: [refusal()] })).toEqual(ids({ refusals: [refusal(), refusal({ bootId: 'y' })] }));
    expect(ids({ refusals: [refusal()] })).not.toEqual(ids({ refusals: [refusal({ reason: 'expired' })] }));
    expect(ids({ updates: [trial(2)] })).not.toEqual(ids({ updates: [trial(3)] }));
  });
});
