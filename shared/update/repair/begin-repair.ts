import type { Slots } from '../../rauc/status.ts';
import { Deadline, pause } from '../../system/deadline.ts';
import { Failure, reasonOf } from '../../system/failure.ts';
import { answeredSlots } from '../transaction/answered-slots.ts';
import type { BareDevice } from '../transaction/device.ts';
import { requireIdle, takeFreeUpdaterLock, type UpdateLock } from '../transaction/update-lock.ts';

export interface Beginning {
  /** Undefined where RAUC does not answer. */
  slots: Slots | undefined;
  /** Undefined in a dry run. */
  lock: UpdateLock | undefined;
}

/** Longer than any install takes with all its deadlines. */
export const longestWaitMs = 24 * 60 * 60_000;
/** How long RAUC may stay silent: it may be restarting after a crash that interrupted an install. */
const silenceMs = 60_000;
const askPauseMs = 1_000;

/**
 * Takes the lock, unless it is a dry run, and asks for the slots: under the lock no other program changes them. Throws a busy
 * Failure while an install runs: then nothing may be repaired.
 */
export async function beginRepair(device: BareDevice, isDryRun: boolean): Promise<Beginning> {
  if (isDryRun) {
    requireIdle(device.places);
    return { slots: await answeredSlots(device), lock: undefined };
  }
  const lock = await takeFreeUpdaterLock(device);
  try {
    return { slots: await answeredSlots(device), lock };
  } catch (error) {
    await lock.release();
    throw error;
  }
}

/** Does the same as soon as no install runs. The lock is taken only then: the hooks of a running install need it. */
export async function beginRepairWhenIdle(device: BareDevice, isDryRun: boolean): Promise<Beginning> {
  const { places, log, signal } = device;
  const deadline = new Deadline(longestWaitMs);
  let silent: Deadline | undefined;
  let isTold = false;
  for (;;) {
    try {
      requireIdle(places);
      const isAnswered = (await answeredSlots(device)) !== undefined;
      silent = isAnswered ? undefined : (silent ?? new Deadline(silenceMs));
      if (isAnswered || silent?.isOver) return await beginRepair(device, isDryRun);
    } catch (error) {
      const isBusy = error instanceof Failure && error.outcome === 'busy';
      if (!isBusy || deadline.isOver) throw error;
      if (!isTold) log.info(`Waiting until that has ended: ${reasonOf(error)}`);
      isTold = true;
    }
    await pause(askPauseMs, signal);
  }
}
