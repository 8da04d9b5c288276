import { expect } from 'bun:test';
import type { Board } from '../board/board.ts';
import { data, dataIn } from '../board/data.ts';
import { bootEnvironment, fullAttempts, health, told, updateProgram, well } from '../board/update.ts';
import { factoryVersion } from '../images/card-image.ts';

/** The version of the factory runs again in slot A, with its data as it was; and the board says what happened. */
export async function expectFallback(board: Board): Promise<void> {
  expect(await told(board)).toMatchObject({
    version: factoryVersion,
    booted: 'rootfs.0',
    primary: 'rootfs.0',
    state: 'fallen-back',
  });
  expect(await board.run(`${updateProgram} why`)).toContain('fallen-back at');
  expect(await bootEnvironment(board)).toMatchObject({ order: 'A B', leftOfA: fullAttempts });
  expect(await data(board)).toEqual(dataIn('1'));
  expect(await health(board)).toBe(well);
}
