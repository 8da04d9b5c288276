import { expect, test } from 'bun:test';
import { chooseBoot } from '../../shared/packaging/device/boot-choice.ts';

test.each([
  ['the first in the order', 'A B', '3', '3', 'A', { BOOT_A_LEFT: '2' }, false],
  ['B when it is listed first', 'B A', '3', '3', 'B', { BOOT_B_LEFT: '2' }, false],
  ['the last attempt', 'B A', '3', '1', 'B', { BOOT_B_LEFT: '0' }, false],
  ['the next one when the first is spent', 'B A', '3', '0', 'A', { BOOT_A_LEFT: '2' }, false],
  ['hexadecimal attempts', 'B A', '3', 'a', 'B', { BOOT_B_LEFT: '9' }, false],
  ['the first again when all are spent', 'B A', '0', '0', 'B', { BOOT_A_LEFT: '3', BOOT_B_LEFT: '2' }, true],
  ['the only one listed, never the other', 'A', '0', '3', 'A', { BOOT_A_LEFT: '2' }, true],
  ['a known slot when others are listed', 'R B', '3', '3', 'B', { BOOT_B_LEFT: '2' }, false],
  ['A when nothing is listed', '', '3', '3', 'A', { BOOT_ORDER: 'A B', BOOT_A_LEFT: '2' }, false],
  ['not what has an unreadable counter', 'A B', 'x', '3', 'B', { BOOT_B_LEFT: '2' }, false],
] as const)('chooseBoot() takes %s', (_title, order, leftOfA, leftOfB, bootname, save, refilled) => {
  const variables = { BOOT_ORDER: order, BOOT_A_LEFT: leftOfA, BOOT_B_LEFT: leftOfB };
  expect(chooseBoot(variables)).toEqual({ bootname, save, refilled });
});

test('chooseBoot() takes A with all attempts when no variable was ever saved', () => {
  expect(chooseBoot({})).toEqual({
    bootname: 'A',
    save: { BOOT_ORDER: 'A B', BOOT_A_LEFT: '2' },
    refilled: false,
  });
});
