import { describe, expect, test } from 'bun:test';
import { columns } from '../../../shared/system/terminal/columns.ts';

describe('columns()', () => {
  test.each([
    ['there are no rows', [], ''],
    ['there is one cell', [['a']], 'a'],
    [
      'cells differ in width',
      [
        ['slot', 'state'],
        ['rootfs.0', 'good'],
        ['x', 'bad'],
      ],
      'slot      state\nrootfs.0  good\nx         bad',
    ],
    ['a row is short', [['a', 'b', 'c'], ['long']], 'a     b  c\nlong'],
    [
      'the last cells are empty',
      [
        ['a', ''],
        ['bb', ''],
      ],
      'a\nbb',
    ],
    [
      'a cell in the middle is empty',
      [
        ['a', '', 'c'],
        ['a', 'bb', 'c'],
      ],
      'a      c\na  bb  c',
    ],
  ])('aligns without blanks at the ends when %s', (_when, rows, text) => {
    expect(columns(rows)).toBe(text);
  });
});
