import { expect, test } from 'bun:test';
import { readBoard } from '../../../shared/packaging/board/board.ts';
import { renderBootScript } from '../../../shared/packaging/boot-script/boot-script.ts';
import { bootTroubleIn } from '../../../shared/update/boot/boot-report.ts';

const said = /\bh_report=(\w+)/g;

test('bootTroubleIn() knows every word that the boot script says, and is silent for "ok"', () => {
  const script = renderBootScript(readBoard('qemu-arm64'));
  const words = new Set([...script.matchAll(said)].map(([, word = '']) => word));
  expect([...words].sort()).toEqual(['defaults', 'exhausted', 'ok', 'refilled', 'unsaved']);
  for (const word of words) {
    const trouble = bootTroubleIn(`root=/dev/vda2 homie.boot=${word} homie.boot_script=1\n`);
    if (word === 'ok') expect(trouble).toBeUndefined();
    else expect(trouble).toMatch(/^\w+ /);
  }
});

test.each([
  ['another boot script', 'root=/dev/mmcblk0p1 rauc.slot=A', undefined],
  ['an empty line', '', undefined],
  ['a word that only begins alike', 'homie.boot_script=1 homie.bootx=refilled', undefined],
  ['a word of a newer script', 'homie.boot=dancing', undefined],
  ['the last of two', 'homie.boot=ok homie.boot=unsaved', 'it cannot save its variables'],
])('bootTroubleIn() with %s', (_what, commandLine, begin) => {
  const trouble = bootTroubleIn(commandLine);
  if (begin === undefined) expect(trouble).toBeUndefined();
  else expect(trouble).toStartWith(begin);
});
