import { describe, expect } from 'bun:test';
import { data, dataIn } from '../board/data.ts';
import {
  askToInstall,
  beginInstall,
  bootEnvironment,
  bootedSlot,
  health,
  installMs,
  told,
  update,
  updateProgram,
  waitForVerdict,
  well,
} from '../board/update.ts';
import { factoryVersion } from '../images/card-image.ts';
import { settledBoard } from '../settled.ts';
import { story } from './story.ts';

/** Installs that are cut off, that fail, and that meet each other. */

describe('an emulated board', () => {
  story(
    'is cut off while a slot is written, boots the other one, and takes the update again',
    settledBoard,
    async (board) => {
      await beginInstall(board, '1.1.0');
      await board.cutPower();

      await board.powerOn();
      await board.nextBoot();
      await waitForVerdict(board);
      expect(board.boots()).toEqual(['A ok']);
      expect(await told(board)).toMatchObject({
        version: factoryVersion,
        booted: 'rootfs.0',
        state: 'failed',
      });
      expect(await data(board)).toEqual(dataIn('1'));
      expect(await health(board)).toBe(well);

      await update(board, '1.1.0');
      expect(await told(board)).toMatchObject({ version: '1.1.0', booted: 'rootfs.1', state: 'committed' });
      expect(await data(board)).toEqual(dataIn('2'));
    },
  );

  story('runs on where a hook of the update fails, and says why', settledBoard, async (board) => {
    const { exitCode, output } = await askToInstall(board, '1.6.0');
    expect({ exitCode, output }).toEqual({ exitCode: 1, output });
    expect(output.split('\n').at(-1)).toContain('Cannot use the compose file');
    expect(await told(board)).toMatchObject({
      version: factoryVersion,
      booted: 'rootfs.0',
      primary: 'rootfs.0',
      state: 'failed',
    });
    expect(await bootedSlot(board)).toBe('A');
    expect(await health(board)).toBe(well);
    expect(await data(board)).toEqual(dataIn('1'));
  });

  story(
    'refuses a second update while one is under way, which comes to its end',
    settledBoard,
    async (board) => {
      await beginInstall(board, '1.1.0');
      const second = await board.ask(`${updateProgram} install --reboot no /data/1.1.0.raucb`);
      expect(second).toEqual({ exitCode: 9, output: second.output });
      await board.waitFor('! systemctl is-active --quiet lab-install', installMs);
      expect(await told(board)).toMatchObject({
        booted: 'rootfs.0',
        primary: 'rootfs.1',
        state: 'installed',
      });
      expect(await bootEnvironment(board)).toMatchObject({ order: 'B A' });
    },
  );
});
