import { Failure } from '../../system/failure.ts';
import { lockFileOf, type Places } from '../../system/places.ts';
import { isLock, type Lock, type LockHolder, lockHolder, tryLock } from '../../system/process/lock.ts';
import type { Running } from '../../system/process/program.ts';
import { answeredSlots } from './answered-slots.ts';

/**
 * One update at a time. RAUC runs the hooks of an install that our own updater asked for while that updater holds
 * the lock: it has noted the version, and the hooks for it go on under its lock.
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

/** The updater's own: no one else's install is joined. */
export function takeUpdaterLock(places: Places): Lock {
  return takeProgramLock(places, updaterName);
}

/**
 * The updater's own, to fetch or install, once nobody else is at it. RAUC is asked before: between its hooks nobody has
 * the lock, and who took it there would end the install that goes on.
 */
export async function takeFreeUpdaterLock(places: Places, running: Pick<Running, 'signal'>): Promise<Lock> {
  requireIdle(places);
  await answeredSlots(running);
  return takeUpdaterLock(places);
}

/** Held by this program alone, under its name. */
export function takeProgramLock(places: Places, program: string): Lock {
  const result = tryLock(lockFileOf(places), program);
  if (isLock(result)) return result;
  throw busy(`${result.program}, process ${result.pid}`);
}

/** For who only looks: throws where an update is running, and takes nothing. */
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
