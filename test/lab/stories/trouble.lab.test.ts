import { describe, expect } from 'bun:test';
import { data, dataIn } from '../board/data.ts';
import {
  askToInstall,
  bootEnvironment,
  bootedSlot,
  health,
  install,
  installMs,
  reboot,
  told,
  updateProgram,
  waitForVerdict,
  waitForVerdictThatStays,
  well,
} from '../board/update.ts';
import { factoryVersion } from '../images/card-image.ts';
import { settledBoard } from '../settled.ts';
import { story } from './story.ts';

/** A board in trouble without an update: no space, no clock, a system that is repaired from the other slot. */

const noSpace = 11;
const fill =
  'dd if=/dev/zero of=/data/filler bs=1M 2>/dev/null; dd if=/dev/zero of=/data/filler2 bs=1k 2>/dev/null; sync';

describe('an emulated board', () => {
  story(
    'refuses an update that it has no room for, and boots with a full /data',
    settledBoard,
    async (board) => {
      const before = await bootEnvironment(board);
      await board.run('mkdir -p /run/shelf; mount -o ro /dev/vdb /run/shelf');
      await board.ask(fill, installMs);
      const refused = await board.ask(
        `${updateProgram} install --reboot no /run/shelf/1.1.0.raucb`,
        installMs,
      );
      expect(refused).toEqual({ exitCode: noSpace, output: refused.output });
      expect(await bootEnvironment(board)).toEqual(before);

      await reboot(board);
      await waitForVerdict(board);
      expect(board.boots()).toEqual(['A ok']);
      expect(await bootEnvironment(board)).toEqual(before);
      expect(await health(board)).toBe(well);
      expect(await data(board)).toEqual(dataIn('1'));
    },
  );

  story('comes to a good end where /data is full in the trial', settledBoard, async (board) => {
    await install(board, '1.1.0');
    await board.ask(fill, installMs);
    await reboot(board);
    await waitForVerdictThatStays(board);
    const { version, booted, primary } = await told(board);
    expect(primary).toBe(booted);
    expect(await health(board)).toBe(well);
    expect(await data(board)).toEqual(dataIn(version === factoryVersion ? '1' : '2'));
  });

  story(
    'boots and is marked good with a clock at 1970, and says why it takes no update',
    settledBoard,
    async (board) => {
      await board.run('touch /data/no-time-server; sync');
      await board.run('sync; systemctl poweroff --no-block');
      await board.cutPower();
      await board.powerOn({ clock: '1970-01-01T00:00:10' });
      await board.nextBoot();
      await waitForVerdict(board);
      expect(board.boots()).toEqual(['A ok']);
      expect(await health(board)).toBe(well);
      const answer = await askToInstall(board, '1.1.0');
      expect(answer.output).toContain('The clock is');
    },
  );

  story('is repaired from the other slot, in a chroot', settledBoard, async (board) => {
    await board.run(`${updateProgram} backup --config-only`);
    await board.run('echo "update: [" >/data/config/orchestrator.yaml; rauc status mark-active other');
    await reboot(board);
    await waitForVerdict(board);
    expect(await bootedSlot(board)).toBe('B');
    const inSlotA = (text: string) => board.ask(`chroot /mnt /bin/bash -c '${text}'`);
    await board.run(
      'mount /dev/disk/by-partlabel/rootfs-a /mnt; mount /dev/disk/by-partlabel/data /mnt/data',
    );
    await board.run('for d in dev proc sys run; do mount --rbind /$d /mnt/$d; done');
    const list = await inSlotA(`${updateProgram} restore --list`);
    expect(list).toEqual({ exitCode: 0, output: list.output });
    expect(list.output).toContain('.tar.zst');
    const restored = await inSlotA(`${updateProgram} restore --config-only --yes`);
    expect(restored).toEqual({ exitCode: 0, output: restored.output });
    expect(await board.run('cat /data/config/orchestrator.yaml')).toContain('health_deadline_seconds: 240');
    await board.run('umount -R /mnt; rauc status mark-active other');
    await reboot(board);
    await waitForVerdict(board);
    expect(await bootedSlot(board)).toBe('A');
    expect(await health(board)).toBe(well);
    expect(await data(board)).toEqual(dataIn('1'));
  });
});
