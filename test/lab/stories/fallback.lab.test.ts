import { describe, expect } from 'bun:test';
import { data, dataIn } from '../board/data.ts';
import { bootedSlot, health, install, reboot, told, update, waitForVerdict, well } from '../board/update.ts';
import { factoryVersion } from '../images/card-image.ts';
import { settledBoard } from '../settled.ts';
import { expectFallback } from './expect-fallback.ts';
import { story } from './story.ts';

/** An update that does not come up, or comes up unwell: the version before it runs again, with its data. */

describe('an emulated board', () => {
  story(
    'falls back after three boots of a system without an init, and says so',
    settledBoard,
    async (board) => {
      await update(board, '1.3.0');
      expect(board.boots()).toEqual(['B ok', 'B ok', 'B ok', 'A ok']);
      await expectFallback(board);
    },
  );

  story('rolls an unhealthy application back, with the data as before', settledBoard, async (board) => {
    // A shorter wait for a good answer that does not come.
    await board.run(
      'sed -i "s/health_deadline_seconds: .*/health_deadline_seconds: 20/" /data/config/orchestrator.yaml',
    );
    await install(board, '1.2.0');
    await reboot(board);
    expect(await bootedSlot(board)).toBe('B');
    await board.nextBoot();
    await waitForVerdict(board);
    expect(board.boots()).toEqual(['B ok', 'A ok']);
    const { state, reason, ...rest } = await told(board);
    expect(rest).toEqual({ version: factoryVersion, booted: 'rootfs.0', primary: 'rootfs.0' });
    expect(state).toBe('rolled-back');
    expect(reason).toContain('503');
    expect(await data(board)).toEqual(dataIn('1'));
    expect(await health(board)).toBe(well);
  });
});
