import { describe, expect } from 'bun:test';
import { data, dataIn } from '../board/data.ts';
import { health, install, reboot, told, update, waitForVerdict, well } from '../board/update.ts';
import { settledBoard } from '../settled.ts';
import { story } from './story.ts';

/** What an emulated board lives through where nothing goes wrong, beside the first update. */

describe('an emulated board', () => {
  story('takes one update after another, into one slot and the other', settledBoard, async (board) => {
    await update(board, '1.1.0');
    expect(await told(board)).toMatchObject({ version: '1.1.0', booted: 'rootfs.1', state: 'committed' });
    await update(board, '1.5.0');
    expect(board.boots()).toEqual(['B ok', 'A ok']);
    expect(await told(board)).toMatchObject({
      version: '1.5.0',
      booted: 'rootfs.0',
      primary: 'rootfs.0',
      state: 'committed',
    });
    expect(await data(board)).toEqual(dataIn('2'));
    expect(await health(board)).toBe(well);
  });

  story('installs a verity bundle, boots it, and commits it', settledBoard, async (board) => {
    await install(board, '1.1.1');
    // Nothing else on the board would have it loaded.
    expect(await board.run('lsmod | grep -c ^dm_verity')).toBe('1');
    await reboot(board);
    await waitForVerdict(board);
    expect(await told(board)).toMatchObject({ version: '1.1.1', booted: 'rootfs.1', state: 'committed' });
  });
});
