import { describe, expect, test } from 'bun:test';
import { kindOf } from './kinds.ts';
import type { Lane } from './lane.ts';
import { leastOf } from './least.ts';
import { type Files, planOf } from './plan.ts';
import { readWords } from './words.ts';

const files: Files = {
  all: [
    'test/a/one.test.ts',
    'test/a/scaled.test.ts',
    'test/a/wide.all.test.ts',
    'test/a/whole.deep.test.ts',
    'test/data/database/dump.live.test.ts',
    'test/rig/transaction/cut.live.test.ts',
    'test/fleet/stories.fleet.test.ts',
    'test/model/lives.test.ts',
    'test/lab/boot-script.lab.test.ts',
    'test/lab/card.lab.test.ts',
    'test/lab/guide-script.lab.test.ts',
    'test/lab/power-cuts.lab.test.ts',
    'test/lab/stories/fallback.lab.test.ts',
    'test/lab/stories/timer.lab.test.ts',
  ],
  byTier: new Set(['test/a/scaled.test.ts']),
};

/** Each lane with what it runs, in short: `a/one, a/scaled`. */
function planned(...words: string[]): { beside: string[]; stages: string[][] } {
  const shortOf = ({ files: own }: Lane): string[] =>
    own.length === 0 ? [] : [own.map((file) => file.replace(/^test\/|(\.\w+)?\.test\.ts$/g, '')).join(', ')];
  const { beside, stages } = planOf(readWords(words), files);
  return { beside: beside.flatMap(shortOf), stages: stages.map((lanes) => lanes.flatMap(shortOf)) };
}

const live = ['rig/transaction/cut', 'data/database/dump'];
const fleet = ['fleet/stories'];
const labOfAll = ['lab/power-cuts', 'lab/stories/fallback, lab/boot-script, lab/guide-script, lab/card'];

describe('planOf()', () => {
  test.each([
    [['quick'], [], [['model/lives', 'a/one, a/scaled']]],
    [['all'], labOfAll, [['model/lives', 'a/one, a/scaled, a/wide'], live, fleet]],
    [['all', '--without', 'quick', '--without', 'lab'], [], [['a/scaled, a/wide'], live, fleet]],
    [
      ['deep'],
      [
        'lab/power-cuts',
        'lab/boot-script, lab/card, lab/guide-script, lab/stories/fallback, lab/stories/timer',
      ],
      [['model/lives', 'a/one, a/scaled, a/wide, a/whole'], live, fleet, ['a/one, a/scaled']],
    ],
    [['repeat'], [], [['a/one, a/scaled']]],
    [['live'], [], [live]],
    [['live', 'dump'], [], [['data/database/dump']]],
    [['fleet'], [], [fleet]],
    [['lab'], [], [['lab/boot-script, lab/guide-script, lab/card']]],
    [['lab', '--cuts', '3'], [], [['lab/power-cuts']]],
    [
      ['lab', '--cuts', '3', 'power-cuts', 'stories'],
      [],
      [['lab/power-cuts', 'lab/stories/fallback, lab/stories/timer']],
    ],
    [['quick', './test/a/one.test.ts', 'dump'], [], [['a/one, data/database/dump']]],
    [['all', 'a/one'], [], [['a/one']]],
  ])('of "%s"', (words, beside, stages) => {
    expect(planned(...words)).toEqual({ beside, stages });
  });

  test('hands the number of cuts to those who cut, and lets the lab of a tier be the last', () => {
    const cutting = (...words: string[]): unknown[] => {
      const { beside, stages } = planOf(readWords(words), files);
      return [...beside, ...stages.flat()].flatMap(({ name, env, niceness }) =>
        name === 'cuts' ? [env, niceness] : [],
      );
    };
    expect(cutting('all')).toEqual([{ HOMIE_LAB_CUTS: '25' }, 10]);
    expect(cutting('deep')).toEqual([{ HOMIE_LAB_CUTS: '200' }, 10]);
    expect(cutting('lab', '--cuts', '9', '--from', '4')).toEqual([
      { HOMIE_LAB_CUTS: '9', HOMIE_LAB_FROM: '4' },
      0,
    ]);
  });

  test('takes no name that finds nothing', () => {
    expect(() => planned('quick', 'a/oen')).toThrow('no test file of this run has "a/oen" in its path');
    expect(() => planned('live', 'a/one')).toThrow('"a/one"');
  });
});

describe('readWords()', () => {
  test.each([
    [[], 'expected quick, all'],
    [['quik'], 'not "quik"'],
    [['all', '--without', 'live'], '--without takes quick or lab, not "live"'],
    [['lab', '--cuts'], '--cuts takes a number from 1 on, not ""'],
    [['lab', '--cuts', '0'], 'not "0"'],
    [['lab', '--cuts', '3', '--from', 'x'], '--from takes a number'],
  ])('refuses %j', (words, reason) => {
    expect(() => readWords(words)).toThrow(reason);
  });

  test('hands to bun what is not its own', () => {
    expect(readWords(['quick', 'a/one', '-t', 'a name', 'b'])).toMatchObject({
      names: ['a/one'],
      flags: ['-t', 'a name', 'b'],
    });
  });
});

test.each([
  ['test/a/one.test.ts', 'quick'],
  ['test/a/one.all.test.ts', 'all'],
  ['test/a/one.deep.test.ts', 'deep'],
  ['test/a/one.live.test.ts', 'live'],
  ['test/a/one.fleet.test.ts', 'fleet'],
  ['test/a/one.lab.test.ts', 'lab'],
  ['test/a/live.test.ts', 'quick'],
])('kindOf() %s is %s', (file, kind) => {
  expect(kindOf(file)).toBe(kind as ReturnType<typeof kindOf>);
});

test('leastOf() a whole run is what it must have, of a part one', () => {
  expect(leastOf(readWords(['quick']))).toBeGreaterThan(1000);
  expect(leastOf(readWords(['all', '--without', 'quick']))).toBe(1);
  expect(leastOf(readWords(['quick', 'a/one']))).toBe(1);
});
