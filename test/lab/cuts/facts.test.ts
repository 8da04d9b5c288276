import { describe, expect, test } from 'bun:test';
import { dataIn } from '../board/data.ts';
import { type Facts, judgeEnd, outcomeOf, placeOf } from './facts.ts';

const before: Facts = {
  slot: 'A',
  order: 'A B',
  leftOfA: '3',
  leftOfB: '3',
  version: '1.0.0',
  ...dataIn('1'),
  health: 'HTTP/1.1 200 OK',
  failed: '',
  left: 'update: transaction.json',
  transaction: undefined,
};
const after: Facts = { ...before, slot: 'B', order: 'B A', version: '1.1.0', ...dataIn('2') };
const updated = { version: '1.1.0', schema: '2' };

describe('judgeEnd()', () => {
  test('knows the system before and the one after', () => {
    expect(judgeEnd(before, updated)).toBe('before');
    expect(judgeEnd(after, updated)).toBe('after');
  });

  test.each([
    ['the old system on new data', { ...before, ...dataIn('2') }],
    ['the new system on old data', { ...after, ...dataIn('1') }],
    ['a schema that the rows do not have', { ...before, schema: '2' }],
    ['rows of the other schema', { ...before, rows: after.rows }],
    ['a row that is gone', { ...before, rows: before.rows.slice(before.rows.indexOf(';') + 2) }],
    ['a file of the other schema', { ...before, file: after.file }],
    ['the old version in the new slot', { ...after, version: '1.0.0', ...dataIn('1') }],
    ['notes that are gone', { ...before, notes: '' }],
    ['an application that is not well', { ...after, health: 'HTTP/1.1 503 Service Unavailable' }],
    ['a boot order that leads elsewhere', { ...before, order: 'B A' }],
    ['an attempt that was not given back', { ...after, leftOfB: '2' }],
    ['a unit that has failed', { ...before, failed: 'rauc.service' }],
    [
      'an update that is still open',
      { ...before, transaction: { isClosed: false, steps: [{ state: 'installing', bootId: '' }] } },
    ],
    ['a version of neither', { ...after, version: '9.9.9' }],
  ])('calls %s a bad end', (_name, facts) => {
    expect(['before', 'after']).not.toContain(judgeEnd(facts, updated));
  });
});

test('outcomeOf() is the same for states that differ in names made of times and digests only', () => {
  const one = { ...before, left: 'update: dump-20261125T020343Z.zst deadbeefdeadbeef' };
  const two = { ...before, left: 'update: dump-20271126T030444Z.zst 0123456789abcdef' };
  expect(outcomeOf(one)).toBe(outcomeOf(two));
  expect(outcomeOf(one)).not.toBe(outcomeOf({ ...one, leftOfB: '0' }));
});

test.each([
  ['', 'running, none'],
  ['homie login: \nStopped target multi-user', 'shutdown, none'],
  ['homie login: \n[ 9.1] reboot: Restarting system', 'reset, none'],
  ['reboot: Restarting system\nU-Boot 2023.01', 'U-Boot, none'],
  ['U-Boot 2023.01\nBooting Linux on physical CPU', 'kernel, none'],
  ['Booting Linux on physical CPU\nWelcome to Debian', 'services starting, none'],
  ['Welcome to Debian\nhomie login: ', 'running, none'],
])('placeOf() reads the last thing that the serial line said: %j', (console, place) => {
  expect(placeOf(console, 'none')).toBe(place);
});
