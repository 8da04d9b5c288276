import { describe, expect } from 'bun:test';
import { Board, type BoardImages } from '../board/board.ts';
import { data, dataIn } from '../board/data.ts';
import { watchHealth } from '../board/health-watch.ts';
import { nanoProcessors } from '../board/processors.ts';
import {
  askToInstall,
  bootEnvironment,
  bootedSlot,
  fullAttempts,
  health,
  install,
  reboot,
  told,
  waitForVerdict,
  well,
} from '../board/update.ts';
import { factoryVersion } from '../images/card-image.ts';
import { labImages, nameOf } from '../images/images.ts';
import { reportGoodUpdate } from '../report.ts';
import { settledBoard } from '../settled.ts';
import { measuredStory, story } from './story.ts';

/** What an emulated board lives through where nothing goes wrong: its real U-Boot, kernel, systemd and RAUC. */

async function factoryBoard(): Promise<Board> {
  return await Board.withCard(await nanoImages());
}

/** It is measured how fast it is. */
async function nanoImages(): Promise<BoardImages> {
  return { ...(await labImages()), processors: nanoProcessors };
}

describe('an emulated board', () => {
  story('leaves the factory, boots slot A, and is marked good', factoryBoard, async (board) => {
    await board.powerOn();
    await board.nextBoot();
    await waitForVerdict(board);
    expect(board.boots()).toEqual(['A ok']);
    expect(await bootEnvironment(board)).toEqual({
      order: 'A B',
      leftOfA: fullAttempts,
      leftOfB: fullAttempts,
    });
    expect(await told(board)).toMatchObject({
      version: factoryVersion,
      booted: 'rootfs.0',
      primary: 'rootfs.0',
    });
    expect(await health(board)).toBe(well);
    expect(await board.run('findmnt -n -o TARGET /data')).toBe('/data');
    expect(await board.run('systemctl list-units --failed --no-legend --plain')).toBe('');
  });

  measuredStory(
    'installs a good update, boots it, and commits it; and refuses to go back',
    async () => await settledBoard(await nanoImages()),
    async (board) => {
      const watch = watchHealth(board.healthUrl);
      const installSeconds = await secondsOf(() => install(board, '1.1.0'));
      expect(await bootEnvironment(board)).toMatchObject({ order: 'B A', leftOfB: fullAttempts });
      expect(await bootedSlot(board)).toBe('A');
      const rebootSeconds = await secondsOf(() => reboot(board));
      const verdictSeconds = await secondsOf(() => waitForVerdict(board));
      expect(await bootedSlot(board)).toBe('B');
      expect(await told(board)).toMatchObject({
        version: '1.1.0',
        booted: 'rootfs.1',
        primary: 'rootfs.1',
        state: 'committed',
      });
      const both = { order: 'B A', leftOfA: fullAttempts, leftOfB: fullAttempts };
      expect(await bootEnvironment(board)).toEqual(both);
      expect(await data(board)).toEqual(dataIn('2'));
      expect(await health(board)).toBe(well);
      const downtime = await watch.stop();
      // The backup before, and the reboot; never the install.
      expect(downtime.gaps).toBeGreaterThan(0);
      const images = nameOf(await labImages());
      reportGoodUpdate({ images, ...downtime, installSeconds, rebootSeconds, verdictSeconds });

      const refused = await askToInstall(board, '0.9.0');
      expect(refused).toEqual({ exitCode: incompatible, output: refused.output });
      expect(refused.output).toContain('0.9.0');
      expect(await bootEnvironment(board)).toEqual(both);
    },
  );
});

const incompatible = 10;

async function secondsOf(work: () => Promise<void>): Promise<number> {
  const started = performance.now();
  await work();
  return Math.round((performance.now() - started) / 100) / 10;
}
