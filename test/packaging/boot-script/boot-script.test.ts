import { describe, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { boardNames, readBoard } from '../../../shared/packaging/board/board.ts';
import { bootScriptVersion, renderBootScript } from '../../../shared/packaging/boot-script/boot-script.ts';
import { makeBootScript } from '../../../shared/packaging/boot-script/boot-script-file.ts';
import { failureOf } from '../../support/failure-of.ts';
import { TempFolder } from '../../support/temp-folder.ts';

/** What can be told from the text; what it does, the real U-Boot tells in test/lab. */

describe.each(boardNames())('the boot script of %s', (name) => {
  const board = readBoard(name);
  const script = renderBootScript(board);
  const code = script.replace(/^\s*#.*$/gm, '');

  test('has no line that U-Boot would cut, and none that holds a rendering mistake', () => {
    for (const line of script.split('\n')) expect(line.length).toBeLessThanOrEqual(500);
    expect(script).not.toMatch(/undefined|NaN|\[object/);
  });

  test('does without what the Nano and the two shells lack', () => {
    expect(code).not.toContain('setexpr');
    // The old shell keeps the value of a variable that is set to nothing.
    expect(code).not.toMatch(/^\s*h_\w+=\s*(;|$)/m);
    // The new one takes a quoted list for one word.
    expect(code).not.toMatch(/\bin "/);
  });

  test("keeps the board's own arguments, and always ends a panic", () => {
    const own = `setenv bootargs "\${${board.boot.ownBootargsVariable}} ${board.boot.bootargs} `;
    expect(code).toContain(own);
    expect(code).toContain(`rauc.slot=\${h_slot} panic=${board.boot.panicSeconds}"`);
    expect(code).toContain(`homie.boot_script=${bootScriptVersion}"`);
  });

  test("saves before the kernel's arguments are set, which are not for the next boot", () => {
    const saving = code.search(board.environment.kind === 'native' ? /saveenv/ : /env export/);
    expect(saving).toBeGreaterThan(0);
    expect(saving).toBeLessThan(code.indexOf('setenv bootargs'));
  });

  test('is the same file for the same time, and another one for another', async () => {
    using folder = new TempFolder();
    const make = async (file: string, time: string) => {
      await makeBootScript(board, new Date(time), folder.at(file));
      return readFileSync(folder.at(file));
    };
    const first = await make('a', '2026-01-01T00:00:00Z');
    expect(await make('b', '2026-01-01T00:00:00Z')).toEqual(first);
    expect(await make('c', '2026-01-02T00:00:00Z')).not.toEqual(first);
    expect(first.toString('latin1')).toContain(script);
  });
});

test('makeBootScript() leaves no file where it cannot write', async () => {
  const { message } = await failureOf(() =>
    makeBootScript(readBoard('qemu-arm64'), new Date(0), '/nowhere/boot.scr'),
  );
  expect(message).toContain('"mkimage" ended with');
});
