import { describe, expect, test } from 'bun:test';
import { type UpdateWindow, type Weekday, weekdays } from '../../../shared/config/schedule-keys.ts';
import { decideWindow, type WindowDecision } from '../../../shared/update/schedule/window.ts';

const every = [...weekdays];

function window(days: readonly Weekday[], from: string, to: string): UpdateWindow {
  const [begin = 0, end = 0] = [from, to].map((time) => {
    const [hours = 0, minutes = 0] = time.split(':').map(Number);
    return hours * 60 + minutes;
  });
  return { days, from: begin, to: end };
}

function at(timeZone: string, windows: readonly UpdateWindow[], now: string): string {
  return worded(decideWindow({ windows, timeZone }, new Date(now)));
}

function worded(decision: WindowDecision): string {
  if (decision.kind === 'inside') return `inside until ${decision.until?.toISOString().slice(0, 16)}`;
  if (decision.kind === 'outside') return `opens ${decision.opens?.toISOString().slice(0, 16)}`;
  return decision.kind;
}

const night = [window(every, '02:00', '04:00')];
const skipped = [window(every, '02:15', '02:45')];
const overMidnight = [window(['sat'], '23:00', '05:00')];

type Row = [when: string, zone: string, windows: UpdateWindow[], now: string, decision: string];

/** 2026: Berlin 29 March 02→03, 25 October 03→02; New York 8 March 02→03, 1 November 02→01. */
const rows: Row[] = [
  ['on a plain day before it', 'Europe/Berlin', night, '2026-01-10T00:59:59Z', 'opens 2026-01-10T01:00'],
  ['at its first second', 'Europe/Berlin', night, '2026-01-10T01:00:00Z', 'inside until 2026-01-10T03:00'],
  ['at its last second', 'Europe/Berlin', night, '2026-01-10T02:59:59Z', 'inside until 2026-01-10T03:00'],
  ['when it has just closed', 'Europe/Berlin', night, '2026-01-10T03:00:00Z', 'opens 2026-01-11T01:00'],

  // The clock goes forward: the first hour of the window is not there.
  ['Berlin springs forward', 'Europe/Berlin', night, '2026-03-29T00:59:59Z', 'opens 2026-03-29T01:00'],
  ['Berlin has sprung', 'Europe/Berlin', night, '2026-03-29T01:00:00Z', 'inside until 2026-03-29T02:00'],
  ['its window is skipped', 'Europe/Berlin', skipped, '2026-03-28T02:00:00Z', 'opens 2026-03-30T00:15'],
  ['New York springs forward', 'America/New_York', night, '2026-03-08T06:59:59Z', 'opens 2026-03-08T07:00'],
  ['New York has sprung', 'America/New_York', night, '2026-03-08T07:00:00Z', 'inside until 2026-03-08T08:00'],
  ['its window is skipped', 'America/New_York', skipped, '2026-03-07T08:00:00Z', 'opens 2026-03-09T06:15'],

  // The clock goes back: what is shown twice is open twice.
  ['Berlin falls back', 'Europe/Berlin', night, '2026-10-25T00:00:00Z', 'inside until 2026-10-25T03:00'],
  ['it is open once', 'Europe/Berlin', skipped, '2026-10-25T00:15:00Z', 'inside until 2026-10-25T00:45'],
  ['it opens again', 'Europe/Berlin', skipped, '2026-10-25T00:45:00Z', 'opens 2026-10-25T01:15'],
  ['it is open twice', 'Europe/Berlin', skipped, '2026-10-25T01:44:59Z', 'inside until 2026-10-25T01:45'],
  [
    'New York falls back',
    'America/New_York',
    [window(every, '01:00', '03:00')],
    '2026-11-01T05:00:00Z',
    'inside until 2026-11-01T08:00',
  ],
  [
    'it closes for the hour between',
    'America/New_York',
    [window(every, '01:00', '01:30')],
    '2026-11-01T05:30:00Z',
    'opens 2026-11-01T06:00',
  ],

  // Half an hour, on 4 October (02:00 → 02:30) and 5 April (02:00 → 01:30).
  ['Lord Howe springs', 'Australia/Lord_Howe', night, '2026-10-03T15:29:59Z', 'opens 2026-10-03T15:30'],
  [
    'Lord Howe has sprung',
    'Australia/Lord_Howe',
    night,
    '2026-10-03T15:30:00Z',
    'inside until 2026-10-03T17:00',
  ],
  [
    'its half hour is skipped',
    'Australia/Lord_Howe',
    [window(every, '02:00', '02:30')],
    '2026-10-03T12:00:00Z',
    'opens 2026-10-04T15:00',
  ],
  [
    'Lord Howe falls back out of it',
    'Australia/Lord_Howe',
    [window(every, '01:45', '02:30')],
    '2026-04-04T14:59:59Z',
    'inside until 2026-04-04T15:00',
  ],
  [
    'and comes into it again',
    'Australia/Lord_Howe',
    [window(every, '01:45', '02:30')],
    '2026-04-04T15:00:00Z',
    'opens 2026-04-04T15:15',
  ],

  // A whole day that never was: Apia had no 30 December 2011. Told with the clock of that time, 2020 or not.
  [
    'the days are told by the zone',
    'Pacific/Apia',
    [window(['mon'], '00:00', '01:00')],
    '2026-01-04T10:59:00Z',
    'opens 2026-01-04T11:00',
  ],

  // Over midnight.
  ['Saturday night', 'Europe/Berlin', overMidnight, '2026-01-10T22:00:00Z', 'inside until 2026-01-11T04:00'],
  ['Sunday morning', 'Europe/Berlin', overMidnight, '2026-01-11T03:59:59Z', 'inside until 2026-01-11T04:00'],
  ['Saturday morning', 'Europe/Berlin', overMidnight, '2026-01-10T03:00:00Z', 'opens 2026-01-10T22:00'],
  ['Sunday night', 'Europe/Berlin', overMidnight, '2026-01-11T22:00:00Z', 'opens 2026-01-17T22:00'],
  [
    'it is an hour shorter',
    'Europe/Berlin',
    overMidnight,
    '2026-03-28T22:00:00Z',
    'inside until 2026-03-29T03:00',
  ],
  [
    'it is an hour longer',
    'Europe/Berlin',
    overMidnight,
    '2026-10-24T21:00:00Z',
    'inside until 2026-10-25T04:00',
  ],

  // Two that meet, one that never ends.
  [
    'two windows meet at midnight',
    'Europe/Berlin',
    [window(['sat'], '22:00', '24:00'), window(['sun'], '00:00', '03:00')],
    '2026-01-10T21:00:00Z',
    'inside until 2026-01-11T02:00',
  ],
  [
    'it is open for ever',
    'Europe/Berlin',
    [window(every, '00:00', '24:00')],
    '2026-01-10T21:00:00Z',
    'inside until undefined',
  ],
];

describe('decideWindow()', () => {
  test.each(rows)('when %s in %s', (_when, zone, windows, now, decision) => {
    expect(at(zone, windows, now)).toBe(decision);
  });

  test('is always without a window, at any time of the clock', () => {
    expect(at('UTC', [], '1970-01-01T00:00:00Z')).toBe('always');
  });

  test('is unknown when the clock was never set', () => {
    expect(at('UTC', night, '2019-12-31T23:59:59Z')).toBe('unknown');
    expect(at('UTC', night, '2020-01-01T00:00:00Z')).not.toBe('unknown');
  });

  test('takes the zone of the system where none is named', () => {
    const system = Intl.DateTimeFormat().resolvedOptions().timeZone;
    const now = new Date('2026-03-29T00:30:00Z');
    expect(decideWindow({ windows: night, timeZone: undefined }, now)).toEqual(
      decideWindow({ windows: night, timeZone: system }, now),
    );
  });

  /** The same question put minute by minute to another reader of the wall clock. */
  const changes: [zone: string, from: string][] = [
    ['Europe/Berlin', '2026-03-28T12:00:00Z'],
    ['Europe/Berlin', '2026-10-24T12:00:00Z'],
    ['America/New_York', '2026-03-07T12:00:00Z'],
    ['America/New_York', '2026-10-31T12:00:00Z'],
    ['Australia/Lord_Howe', '2026-04-04T06:00:00Z'],
    ['Australia/Lord_Howe', '2026-10-03T06:00:00Z'],
    ['Asia/Kathmandu', '2026-05-01T00:00:00Z'],
  ];
  test.each(changes)('agrees with a minute by minute look at the clock of %s from %s', (zone, from) => {
    const windows = [
      window(every, '01:10', '01:50'),
      window(every, '02:00', '02:30'),
      window(['sat'], '23:30', '00:20'),
    ];
    const minutes = 36 * 60;
    const start = Date.parse(from);
    const open = Array.from({ length: minutes }, (_, minute) =>
      isShown(zone, windows, start + minute * 60_000),
    );
    for (let minute = 0; minute < minutes; minute += 7) {
      const decision = decideWindow({ windows, timeZone: zone }, new Date(start + minute * 60_000));
      const next = open.findIndex((isOpen, index) => index > minute && isOpen !== open[minute]);
      const change =
        decision.kind === 'inside'
          ? decision.until
          : decision.kind === 'outside'
            ? decision.opens
            : undefined;
      expect(decision.kind).toBe(open[minute] === true ? 'inside' : 'outside');
      if (next > 0) expect(change?.getTime()).toBe(start + next * 60_000);
    }
  });
});

function isShown(zone: string, windows: readonly UpdateWindow[], now: number): boolean {
  const [day = '', time = ''] = clockOf(zone).format(now).toLowerCase().split(/,? /);
  const [hours = 0, minutes = 0] = time.split(':').map(Number);
  const shown = hours * 60 + minutes;
  const before = every[(every.map(String).indexOf(day) + 6) % 7];
  return windows.some(({ days, from, to }) =>
    to > from
      ? days.some((name) => name === day) && shown >= from && shown < to
      : (days.some((name) => name === day) && shown >= from) ||
        (days.some((name) => name === before) && shown < to),
  );
}

const clocks = new Map<string, Intl.DateTimeFormat>();

function clockOf(timeZone: string): Intl.DateTimeFormat {
  const known = clocks.get(timeZone);
  if (known !== undefined) return known;
  const clock = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    weekday: 'short',
    hour: '2-digit',
    minute: '2-digit',
  });
  clocks.set(timeZone, clock);
  return clock;
}
