import type { Slots } from '../../rauc/status.ts';
import { Deadline, pause } from '../../system/deadline.ts';
import { Failure, reasonOf } from '../../system/failure.ts';
import type { Places } from '../../system/places.ts';
import type { Running } from '../../system/process/program.ts';
import { answeredSlots } from '../transaction/answered-slots.ts';
import { requireIdle, takeFreeUpdaterLock } from '../transaction/install-lock.ts';

export interface Beginning {
  places: Places;
  isDryRun: boolean;
  running: Running;
}

/** Longer than any install takes with all its deadlines. */
export const longestWaitMs = 24 * 60 * 60_000;
/** How long RAUC may stay silent: it may be restarting after a crash that interrupted an install. */
const silenceMs = 60_000;
const askPauseMs = 1_000;

/**
 * Takes the lock, unless it is a dry run, and answers with the slots; undefined where RAUC does not answer. Under the lock
 * no other program changes them. Throws a busy Failure while an install runs: then nothing may be repaired.
 */
export async function beginRepair({ places, isDryRun, running }: Beginning): Promise<Slots | undefined> {
  if (isDryRun) {
    requireIdle(places);
    return await answeredSlots(running);
  }
  const lock = await takeFreeUpdaterLock(places, running);
  const release = running.undo.owe('release the lock', () => lock.release());
  try {
    return await answeredSlots(running);
  } catch (error) {
    await release.now();
    throw error;
  }
}

/** Does the same as soon as no install runs. The lock is taken only then: the hooks of a running install need it. */
export async function beginRepairWhenIdle(beginning: Beginning): Promise<Slots | undefined> {
  const { places, running } = beginning;
  const { log, signal } = running;
  const deadline = new Deadline(longestWaitMs);
  let silent: Deadline | undefined;
  let isTold = false;
  for (;;) {
    try {
      requireIdle(places);
      const isAnswered = (await answeredSlots(running)) !== undefined;
      silent = isAnswered ? undefined : (silent ?? new Deadline(silenceMs));
      if (isAnswered || silent?.isOver) return await beginRepair(beginning);
    } catch (error) {
      const isBusy = error instanceof Failure && error.outcome === 'busy';
      if (!isBusy || deadline.isOver) throw error;
      if (!isTold) log.info(`Waiting until that has ended: ${reasonOf(error)}`);
      isTold = true;
    }
    await pause(askPauseMs, signal);
  }
}
