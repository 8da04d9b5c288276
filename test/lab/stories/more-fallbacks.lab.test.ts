import { describe, expect } from 'bun:test';
import { data, dataIn } from '../board/data.ts';
import { health, install, reboot, told, update, waitForVerdict, well } from '../board/update.ts';
import { factoryVersion } from '../images/card-image.ts';
import { settledBoard } from '../settled.ts';
import { expectFallback } from './expect-fallback.ts';
import { story } from './story.ts';

/** An update that does not come up, or comes up unwell: the version before it runs again, with its data. */

describe('an emulated board', () => {
  story('falls back after three kernel panics, and says so', settledBoard, async (board) => {
    await update(board, '1.3.1');
    expect(board.console().match(/Kernel panic - not syncing: Attempted to kill init!/g)?.length).toBe(3);
    expect(board.boots()).toEqual(['B ok', 'B ok', 'B ok', 'A ok']);
    await expectFallback(board);
  });

  story('falls back from a system that does not find its data, and says so', settledBoard, async (board) => {
    await update(board, '1.3.3');
    expect(board.boots()).toEqual(['B ok', 'B ok', 'B ok', 'A ok']);
    await expectFallback(board);
  });

  story(
    'falls back in the same boot from a system without a kernel, and says so',
    settledBoard,
    async (board) => {
      await update(board, '1.4.0');
      expect(board.console()).toContain('Slot B cannot be loaded');
      expect(board.boots()).toEqual(['A ok']);
      await expectFallback(board);
    },
  );

  story(
    'is reset by its watchdog in a trial that hangs, and rejects the update',
    settledBoard,
    async (board) => {
      await install(board, '1.3.2');
      await reboot(board);
      await board.waitFor('grep -q rauc.slot=A /proc/cmdline', hangMs);
      await waitForVerdict(board);
      expect(board.watchdogBites).toBeGreaterThan(0);
      expect(board.boots().at(0)).toBe('B ok');
      expect(board.boots().at(-1)).toBe('A ok');
      expect(await told(board)).toMatchObject({
        version: factoryVersion,
        booted: 'rootfs.0',
        primary: 'rootfs.0',
      });
      expect((await told(board)).state).toMatch(/^(rolled-back|fallen-back)$/);
      expect(await data(board)).toEqual(dataIn('1'));
      expect(await health(board)).toBe(well);
    },
  );
});

/** Three trials that hang, each until the watchdog bites. */
const hangMs = 1_800_000;
