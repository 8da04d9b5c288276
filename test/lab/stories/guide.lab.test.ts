import { afterAll, describe, expect } from 'bun:test';
import { TempFolder } from '../../support/temp-folder.ts';
import { Board } from '../board/board.ts';
import { watchHealth } from '../board/health-watch.ts';
import { nanoProcessors } from '../board/processors.ts';
import { bootedSlot, installMs } from '../board/update.ts';
import { guideBundle, withGuideBundle } from '../guide/shelf.ts';
import { labImages, nameOf } from '../images/images.ts';
import { reportGuideUpdate } from '../report.ts';
import { settledState } from '../settled.ts';
import { measuredStory } from './story.ts';

/**
 * A baseline: the integration guide's update on the same board, by its own script and hooks as they were meant. What it
 * costs those who live with the board stands beside ours in `reports/lab.json`.
 */

const folder = new TempFolder();
afterAll(() => folder[Symbol.dispose]());

async function boardWithGuideBundle(): Promise<Board> {
  const images = { ...(await labImages()), processors: nanoProcessors };
  return await Board.resume(await withGuideBundle(images, folder.path), await settledState(images));
}

describe('an emulated board', () => {
  measuredStory(
    'is updated in the guide’s way, and does without its application all the while',
    boardWithGuideBundle,
    async (board) => {
      const watch = watchHealth(board.healthUrl);
      await board.run(
        `mkdir -p /run/shelf; mount -o ro /dev/vdb /run/shelf; cp /run/shelf/${guideBundle} /data/`,
      );
      const installSeconds = await secondsOf(() =>
        board.run(`rauc info /data/${guideBundle} && rauc install /data/${guideBundle}`, installMs),
      );
      // The script says so a minute before.
      await board.run('shutdown -r +1');
      const rebootSeconds = await secondsOf(() => board.nextBoot());
      const verdictSeconds = await secondsOf(() =>
        board.run('systemctl is-system-running --wait; systemctl is-active homie-orchestrator', installMs),
      );
      const downtime = await watch.stop();
      expect(await bootedSlot(board)).toBe('B');
      const images = nameOf(await labImages());
      reportGuideUpdate({ images, ...downtime, installSeconds, rebootSeconds, verdictSeconds });
      expect(downtime.downSeconds).toBeGreaterThan(announcedSeconds);
    },
  );
});

const announcedSeconds = 60;

async function secondsOf(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return Math.round((performance.now() - started) / 100) / 10;
}
