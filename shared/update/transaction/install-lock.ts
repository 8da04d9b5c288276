import { Failure } from '../../system/failure.ts';
import { lockFileOf, type Places } from '../../system/places.ts';
import { isLock, type Lock, type LockHolder, lockHolder, tryLock } from '../../system/process/lock.ts';
import type { Running } from '../../system/process/program.ts';
import { answeredSlots } from './answered-slots.ts';

/**
 * Takes the lock for a hook: only one update may run. When our own updater starts an install, it holds the lock while RAUC
 * runs the hooks; it has noted the version, and the hooks for that version run under its lock. Throws a busy Failure.
 */
export function takeInstallLock(places: Places, program: string, version: string): Pick<Lock, 'release'> {
  const result = tryLock(lockFileOf(places), program);
  if (isLock(result)) {
    result.note(version);
    return result;
  }
  if (isUpdaterOf(version, result)) return { release: () => {} };
  throw busy(`${result.program}, process ${result.pid}`);
}

/** Takes the updater's own lock; it never joins the install of another program. Throws a busy Failure. */
export function takeUpdaterLock(places: Places): Lock {
  return takeProgramLock(places, updaterName);
}

/**
 * Takes the updater's own lock, to fetch or install, if no other install runs. RAUC is asked first: between the hooks of an
 * install no program holds the lock, and taking it there would make that install fail. Throws a busy Failure.
 */
export async function takeFreeUpdaterLock(places: Places, running: Pick<Running, 'signal'>): Promise<Lock> {
  requireIdle(places);
  await answeredSlots(running);
  return takeUpdaterLock(places);
}

/** Takes the lock for this program alone, under its name. Throws a busy Failure. */
export function takeProgramLock(places: Places, program: string): Lock {
  const result = tryLock(lockFileOf(places), program);
  if (isLock(result)) return result;
  throw busy(`${result.program}, process ${result.pid}`);
}

/** For a program that only reads: throws a busy Failure where an update is running, and does not take the lock. */
export function requireIdle(places: Places): void {
  const holder = lockHolder(lockFileOf(places));
  if (holder !== undefined) throw busy(`${holder.program}, process ${holder.pid}`);
}

/** Whether it is our own updater that asked RAUC for this version, so that RAUC's hooks run on its behalf. */
export function isUpdaterOf(version: string, holder: LockHolder): boolean {
  return holder.program === updaterName && holder.installing === version;
}

export const updaterName = 'update.sh';

function busy(holder: string): Failure {
  return new Failure(`Cannot take the lock: another update is running (${holder})`, {
    outcome: 'busy',
    advice: 'Wait until it has ended',
  });
}
