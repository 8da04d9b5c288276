import { afterAll, beforeAll, describe, expect } from 'bun:test';
import { TempFolder } from '../support/temp-folder.ts';
import { Board, type BoardState } from './board/board.ts';
import { watchHealth } from './board/health-watch.ts';
import {
  askToInstall,
  bootEnvironment,
  bootedSlot,
  data,
  fetchBundle,
  health,
  install,
  reboot,
  told,
  updateProgram,
  waitForVerdict,
  writeNotes,
} from './board/update.ts';
import { factoryVersion, type LabImages, labImages } from './images.ts';
import { reportGoodUpdate } from './report.ts';
import { story } from './story.ts';

/** What an emulated board lives through: its real U-Boot, kernel, systemd and RAUC, and our programs as they ship. */

const imagesMs = 20 * 60_000;
const fullAttempts = '3';
const notes = 'the hall lamp is the one on the left';
const well = 'HTTP/1.1 200 OK';
const folder = new TempFolder();
/** A board of the factory that has proved healthy, with a person's notes on it: where the other stories begin. */
let settled: BoardState | undefined;
let images: LabImages;

beforeAll(async () => {
  images = await labImages();
}, imagesMs);
afterAll(() => folder[Symbol.dispose]());

async function factoryBoard(): Promise<Board> {
  return await Board.withCard(images);
}

async function settledBoard(): Promise<Board> {
  if (settled === undefined) throw new Error('the factory story has not come to its end');
  return await Board.resume(images, settled);
}

async function secondsOf(work: () => Promise<void>): Promise<number> {
  const started = performance.now();
  await work();
  return Math.round((performance.now() - started) / 100) / 10;
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
    await writeNotes(board);
    settled = await board.save(folder.path);
  });

  story('installs a good update, boots it, and commits it', settledBoard, async (board) => {
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
    expect(await bootEnvironment(board)).toEqual({
      order: 'B A',
      leftOfA: fullAttempts,
      leftOfB: fullAttempts,
    });
    expect(await data(board)).toEqual({ notes, schema: '2' });
    expect(await health(board)).toBe(well);
    const downtime = await watch.stop();
    // The backup before, and the reboot; never the install.
    expect(downtime.gaps).toBeGreaterThan(0);
    reportGoodUpdate({ ...downtime, installSeconds, rebootSeconds, verdictSeconds });

    const refused = await askToInstall(board, '0.9.0');
    expect(refused.exitCode).toBe(10);
    expect(refused.output).toContain('0.9.0');
    expect(await bootEnvironment(board)).toEqual({
      order: 'B A',
      leftOfA: fullAttempts,
      leftOfB: fullAttempts,
    });
  });

  story(
    'falls back after three boots of a system without an init, and says so',
    settledBoard,
    async (board) => {
      await install(board, '1.3.0');
      await reboot(board);
      await waitForVerdict(board);
      expect(board.boots()).toEqual(['B ok', 'B ok', 'B ok', 'A ok']);
      expect(await told(board)).toMatchObject({
        version: factoryVersion,
        booted: 'rootfs.0',
        primary: 'rootfs.0',
        state: 'fallen-back',
      });
      expect(await bootEnvironment(board)).toMatchObject({ order: 'A B', leftOfA: fullAttempts });
      expect(await data(board)).toEqual({ notes, schema: '1' });
      expect(await health(board)).toBe(well);
    },
  );

  story(
    'falls back in the same boot from a system without a kernel, and says so',
    settledBoard,
    async (board) => {
      await install(board, '1.4.0');
      await reboot(board);
      await waitForVerdict(board);
      expect(board.console()).toContain('Slot B cannot be loaded');
      expect(board.boots()).toEqual(['A ok']);
      expect(await told(board)).toMatchObject({
        version: factoryVersion,
        booted: 'rootfs.0',
        primary: 'rootfs.0',
        state: 'fallen-back',
      });
    },
  );

  story('rolls an unhealthy application back, with the data as before', settledBoard, async (board) => {
    await install(board, '1.2.0');
    await reboot(board);
    expect(await bootedSlot(board)).toBe('B');
    await board.nextBoot();
    await waitForVerdict(board);
    expect(await bootedSlot(board)).toBe('A');
    const { state, reason, ...rest } = await told(board);
    expect(rest).toEqual({ version: factoryVersion, booted: 'rootfs.0', primary: 'rootfs.0' });
    expect(state).toBe('rolled-back');
    expect(reason).toContain('503');
    expect(await data(board)).toEqual({ notes, schema: '1' });
    expect(await health(board)).toBe(well);
  });

  story('is cut off while a slot is written, and boots the other one', settledBoard, async (board) => {
    const bundle = await fetchBundle(board, '1.1.0');
    await board.run(`systemd-run --unit=lab-install ${updateProgram} install ${bundle}`);
    await board.waitFor('test "$(fw_printenv -n BOOT_ORDER)" = A');
    await board.cutPower();

    await board.powerOn();
    await board.nextBoot();
    await waitForVerdict(board);
    expect(await bootedSlot(board)).toBe('A');
    expect(await told(board)).toMatchObject({ version: factoryVersion, booted: 'rootfs.0', state: 'failed' });
    expect(await data(board)).toEqual({ notes, schema: '1' });
    expect(await health(board)).toBe(well);

    await install(board, '1.1.0');
    await reboot(board);
    await waitForVerdict(board);
    expect(await told(board)).toMatchObject({ version: '1.1.0', booted: 'rootfs.1', state: 'committed' });
    expect(await data(board)).toEqual({ notes, schema: '2' });
  });

  story('installs a verity bundle, boots it, and commits it', settledBoard, async (board) => {
    await install(board, '1.1.1');
    await reboot(board);
    await waitForVerdict(board);
    expect(await told(board)).toMatchObject({ version: '1.1.1', booted: 'rootfs.1', state: 'committed' });
  });

  story('refuses a second update while one is under way', settledBoard, async (board) => {
    const bundle = await fetchBundle(board, '1.1.0');
    await board.run(`systemd-run --unit=lab-install ${updateProgram} install ${bundle}`);
    await board.waitFor('test "$(fw_printenv -n BOOT_ORDER)" = A');
    const second = await board.ask(`${updateProgram} install ${bundle}`);
    expect(second).toEqual({ exitCode: 9, output: second.output });
    await board.waitFor('! systemctl is-active --quiet lab-install', 300_000);
    expect(await told(board)).toMatchObject({ booted: 'rootfs.0', primary: 'rootfs.1', state: 'installed' });
  });

  story('boots the slot that a person made active, and keeps it', settledBoard, async (board) => {
    await board.run('rauc status mark-active other');
    await reboot(board);
    await waitForVerdict(board);
    expect(await bootedSlot(board)).toBe('B');
    expect(await bootEnvironment(board)).toEqual({
      order: 'B A',
      leftOfA: fullAttempts,
      leftOfB: fullAttempts,
    });
  });

  story('does not boot a slot that a person marked bad', settledBoard, async (board) => {
    await board.run('rauc status mark-bad booted');
    await reboot(board);
    await waitForVerdict(board);
    expect(await bootedSlot(board)).toBe('B');
    expect(board.boots()).toEqual(['B ok']);
  });

  story(
    'comes up by the defaults when both copies of its environment are damaged, and says so',
    settledBoard,
    async (board) => {
      await board.run(
        'dd if=/dev/urandom of=/dev/vda bs=1k seek=512 count=32 conv=notrunc,fsync status=none',
      );
      await reboot(board);
      await waitForVerdict(board);
      expect(board.boots()).toEqual(['A defaults']);
      expect(await board.run('cat /proc/cmdline')).toContain('homie.boot=defaults homie.boot_script=1');
      expect(await board.run('cat /data/logs/update.log')).toContain(
        'The boot script reports: its saved variables',
      );
      expect(await bootEnvironment(board)).toEqual({
        order: 'A B',
        leftOfA: fullAttempts,
        leftOfB: fullAttempts,
      });
    },
  );
});
