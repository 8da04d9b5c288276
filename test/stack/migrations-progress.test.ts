import { describe, expect, test } from 'bun:test';
import {
  beginProgress,
  judgeProgress,
  seeProgress,
  type Verdict,
} from '../../shared/stack/migrations-progress.ts';
import {
  lastWordsOf,
  needsMigration,
  parseCurrent,
  parseHeads,
} from '../../shared/stack/migrations-revisions.ts';

const pace = { deadlineMs: 10, longestMs: 30 };

/** Each sight: when, how many lines, which revisions; then when it is judged. */
const runs: [string, [number, number, string][], number, Verdict][] = [
  ['it has just begun', [], 0, 'going on'],
  ['nothing was seen before the deadline', [], 9, 'going on'],
  ['nothing was seen until the deadline', [], 10, 'stalled'],
  [
    'the same was seen again and again',
    [
      [3, 0, '1'],
      [6, 0, '1'],
      [9, 0, '1'],
    ],
    10,
    'stalled',
  ],
  ['a line came', [[9, 1, '1']], 18, 'going on'],
  [
    'a line came long ago',
    [
      [9, 1, '1'],
      [15, 1, '1'],
    ],
    19,
    'stalled',
  ],
  ['the revision moved', [[9, 0, '2']], 18, 'going on'],
  [
    'the revision moved back',
    [
      [5, 0, '2'],
      [9, 0, '1'],
    ],
    18,
    'going on',
  ],
  [
    'it moves all the time',
    [
      [9, 1, '2'],
      [18, 2, '3'],
      [27, 3, '4'],
    ],
    29,
    'going on',
  ],
  [
    'it moves all the time, and too long',
    [
      [9, 1, '2'],
      [18, 2, '3'],
      [27, 3, '4'],
    ],
    30,
    'too long',
  ],
];

describe('judgeProgress()', () => {
  test.each(runs)('decides rightly when %s', (_case, sights, nowMs, verdict) => {
    const begun = beginProgress({ lines: 0, revisions: '1' }, 0);
    const seen = sights.reduce(
      (so, [atMs, lines, revisions]) => seeProgress(so, { lines, revisions }, atMs),
      begun,
    );
    expect(judgeProgress(seen, pace, nowMs)).toBe(verdict);
  });
});

describe('parseCurrent()', () => {
  test.each([
    ['the database is empty', '', []],
    ['it is at a head', '0002 (head)\n', ['0002']],
    ['it is not at a head', 'ae1027a6acf0\r\n', ['ae1027a6acf0']],
    ['there are two', 'b1 (sensors) (head)\na1 (effective head) (mergepoint)\n', ['a1', 'b1']],
    [
      'others talk in between',
      'INFO  [alembic] Context impl PostgresqlImpl.\n> starting up\n0002 (head)\nBye bye\n',
      ['0002'],
    ],
    ['a line is an address or a date', 'me@home\n2024-01-01\n0002\n', ['0002']],
  ])('finds the revisions when %s', (_case, output, revisions) => {
    expect(parseCurrent(output)).toEqual(revisions);
  });
});

describe('parseHeads()', () => {
  test.each([
    ['there is none', '', []],
    ['there is one', 'starting\n0003 (head)\n', ['0003']],
    ['there are branches', 'b1 (sensors) (effective head)\na1 (rooms) (head)\n', ['a1', 'b1']],
    ['only others talk', 'ready\nmain (branch)\n', []],
  ])('finds the heads when %s', (_case, output, heads) => {
    expect(parseHeads(output)).toEqual(heads);
  });
});

describe('needsMigration()', () => {
  test.each([
    ['the image has none', [], [], false],
    ['the database is empty', [], ['2'], true],
    ['it is behind', ['1'], ['2'], true],
    ['it is there', ['2'], ['2'], false],
    ['a branch is missing', ['2'], ['2', 'b'], true],
    ['the database has a branch more', ['2', 'b'], ['2'], false],
  ])('decides rightly when %s', (_case, current, heads, needs) => {
    expect(needsMigration({ current, heads })).toBe(needs);
  });
});

describe('lastWordsOf()', () => {
  test.each([
    ['nothing was said', '\n \n', undefined],
    [
      'alembic failed',
      'INFO x\nFAILED: Multiple head revisions are present\n',
      'Multiple head revisions are present',
    ],
    ['Python failed', 'Traceback:\n  File\nRuntimeError: no\n\n', 'RuntimeError: no'],
    ['docker-compose adds the code', 'RuntimeError: no\n1\n', 'RuntimeError: no'],
    ['docker-compose adds it in words', 'RuntimeError: no\nERROR: 1\n', 'RuntimeError: no'],
    ['it never came to alembic', 'Creating homie_x_run ... \nCreating homie_x_run ... done\n', undefined],
  ])('finds the reason when %s', (_case, output, words) => {
    expect(lastWordsOf(output)).toBe(words);
  });
});
