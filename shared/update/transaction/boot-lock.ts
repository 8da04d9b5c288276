import { Deadline, pause } from '../../system/deadline.ts';
import { Failure, reasonOf } from '../../system/failure.ts';
import type { Places } from '../../system/places.ts';
import type { Lock } from '../../system/process/lock.ts';
import type { Running } from '../../system/process/program.ts';
import { takeProgramLock } from './install-lock.ts';

const longestMs = 600_000;
const askPauseMs = 250;

/**
 * Until a trial has its verdict, or the data is back, nobody installs over the fallback, restores or switches slots. A
 * boot is no place to insist: where the lock cannot be made at all, that is told, and the boot goes on without. The
 * answer releases it.
 */
export async function waitForBootLock(
  places: Places,
  { log, undo, signal }: Running,
): Promise<() => Promise<void>> {
  const deadline = new Deadline(longestMs);
  let isTold = false;
  for (;;) {
    try {
      const lock: Lock = takeProgramLock(places, 'post-activate');
      const release = undo.owe('release the lock', () => lock.release());
      return () => release.now();
    } catch (error) {
      const isBusy = error instanceof Failure && error.outcome === 'busy';
      if (!isBusy) {
        log.warn(`${reasonOf(error)}; going on without it`);
        return async () => {};
      }
      if (deadline.isOver) throw error;
      if (!isTold) log.info(`Waiting for the lock: ${reasonOf(error)}`);
      isTold = true;
    }
    await pause(askPauseMs, signal);
  }
}
