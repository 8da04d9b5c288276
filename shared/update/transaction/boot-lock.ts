import { Deadline, pause } from '../../system/deadline.ts';
import { Failure, reasonOf } from '../../system/failure.ts';
import type { Places } from '../../system/places.ts';
import type { Lock } from '../../system/process/lock.ts';
import type { Running } from '../../system/process/program.ts';
import { takeProgramLock } from './install-lock.ts';

const longestMs = 600_000;
const askPauseMs = 250;

/**
 * Waits for the lock: until a trial has its verdict, or the data is restored, no other program may install over the
 * fallback, restore or switch slots. The boot must not fail if the lock cannot be created at all: that is logged, and the
 * boot continues without it. The answer releases the lock. Throws a busy Failure after 10 minutes.
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
