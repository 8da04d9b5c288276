import { describe, expect } from 'bun:test';
import { bootEnvironment, bootedSlot, fullAttempts, reboot, waitForVerdict } from '../board/update.ts';
import { settledBoard } from '../settled.ts';
import { story } from './story.ts';

/** What a person does to a board with RAUC's own command, and what a damaged environment does to it. */

describe('an emulated board', () => {
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
    'boots with the defaults when both copies of its environment are damaged, and says so',
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
