import { describe, expect, test } from 'bun:test';
import { exitCodeOf, exitCodes, exitCodeTable, type Outcome } from '../../shared/system/exit-code.ts';

const outcomes: [Outcome, number][] = [
  ['done', 0],
  ['failed', 1],
  ['usage', 2],
  ['rebootNeeded', 4],
  ['busy', 9],
  ['incompatible', 10],
  ['noSpace', 11],
  ['signature', 12],
  ['outsideWindow', 13],
  ['inhibited', 14],
  ['unhealthy', 20],
  ['tryLater', 21],
  ['rolledBack', 30],
];

describe('exitCodeOf()', () => {
  test.each(outcomes)('keeps what %s means to those who call us: %d', (outcome, code) => {
    expect(exitCodeOf(outcome)).toBe(code);
  });

  test('has no outcome besides, and no code twice', () => {
    expect(Object.keys(exitCodes).sort()).toEqual(outcomes.map(([outcome]) => outcome).sort());
    expect(new Set(outcomes.map(([, code]) => code)).size).toBe(outcomes.length);
  });
});

describe('exitCodeTable()', () => {
  test('has a line for every code, the numbers aligned', () => {
    const lines = exitCodeTable().split('\n');
    expect(lines).toHaveLength(outcomes.length);
    expect(lines[0]).toBe('  0  done');
    expect(lines).toContain('  4  done, reboot needed');
    expect(lines.at(-1)).toBe(' 30  rolled back');
  });
});
