import { expect, test } from 'bun:test';
import { chooseBoot } from '../../../shared/packaging/device/boot-choice.ts';
import { type BootVariables, modelBoot } from '../../lab/boot-model.ts';
import { everyStart, oddStarts } from '../../lab/script/starts.ts';

test.each([
  ['the first in the order', 'A B', '3', '3', 'A', { BOOT_A_LEFT: '2' }, false],
  ['B when it is listed first', 'B A', '3', '3', 'B', { BOOT_B_LEFT: '2' }, false],
  ['the last attempt', 'B A', '3', '1', 'B', { BOOT_B_LEFT: '0' }, false],
  ['the next one when the first is spent', 'B A', '3', '0', 'A', { BOOT_A_LEFT: '2' }, false],
  ['hexadecimal attempts', 'B A', '3', 'a', 'B', { BOOT_B_LEFT: '9' }, false],
  [
    'the first again when all are spent',
    'B A',
    '0',
    '0',
    'B',
    { BOOT_A_LEFT: '2', BOOT_B_LEFT: '2', homie_boot_refilled: '1' },
    true,
  ],
  [
    'the only one listed, never the other',
    'A',
    '0',
    '3',
    'A',
    { BOOT_A_LEFT: '2', homie_boot_refilled: '1' },
    true,
  ],
  ['a known slot when others are listed', 'R B', '3', '3', 'B', { BOOT_B_LEFT: '2' }, false],
  ['A when nothing is listed', '', '3', '3', 'A', { BOOT_ORDER: 'A B', BOOT_A_LEFT: '2' }, false],
  ['full attempts for an unreadable counter', 'A B', 'x', '3', 'A', { BOOT_A_LEFT: '2' }, false],
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

test('chooseBoot() chooses as the boot script, twelve boots in a row from every start', () => {
  const oneWord = oddStarts.filter(({ left }) => !/\s/.test(`${left.A}${left.B}`));
  for (const start of [...everyStart, ...oneWord]) {
    const variables = new Map(Object.entries(namesOf(start)));
    let now = start;
    for (let boot = 0; boot < 12; boot += 1) {
      const model = modelBoot(now, () => true);
      now = model.saved ?? now;
      const { bootname, save, refilled } = chooseBoot(Object.fromEntries(variables));
      for (const [name, value] of Object.entries(save)) {
        if (value === '') variables.delete(name);
        else variables.set(name, value);
      }
      expect({ start, boot, bootname, refilled }).toEqual({
        start,
        boot,
        bootname: model.slot ?? 'A',
        refilled: model.report === 'refilled',
      });
    }
  }
});

function namesOf({ order, left, refilled }: BootVariables): Record<string, string> {
  const all = { BOOT_ORDER: order, BOOT_A_LEFT: left.A, BOOT_B_LEFT: left.B, homie_boot_refilled: refilled };
  return Object.fromEntries(
    Object.entries(all).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}
