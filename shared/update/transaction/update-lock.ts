import { Deadline, pause } from '../../system/deadline.ts';
import { Failure, reasonOf } from '../../system/failure.ts';
import { lockFileOf, type Places } from '../../system/places.ts';
import { isLock, type Lock, type LockHolder, lockHolder, tryLock } from '../../system/process/lock.ts';
import type { Undo } from '../../system/process/undo.ts';
import { answeredSlots } from './answered-slots.ts';
import type { BareDevice, Device } from './device.ts';

const longestWaitMs = 600_000;
const askPauseMs = 250;

/** The lock of all updates, and the proof that the transaction may be written: only the functions below make one. */
class HeldLock {
  readonly places: Places;
  readonly #lock: Lock;
  readonly #release: Undo;

  /**
   * Two programs get one without a lock of their own: a hook that RAUC runs for our updater, which holds the lock, and a
   * boot that cannot create the lock. That boot still has to start the orchestrator, or to roll back.
   */
  constructor({ places, undo }: BareDevice, lock: Lock | 'not ours') {
    this.places = places;
    this.#lock = lock === 'not ours' ? { note: () => {}, release: () => {} } : lock;
    this.#release = undo.owe('release the lock', () => this.#lock.release());
  }

  /** Notes the version that is installed under this lock: RAUC's hooks for that version belong to its holder. */
  note(installing: string): void {
    this.#lock.note(installing);
  }

  /** Releases it before the program ends, which releases it in any case. */
  async release(): Promise<void> {
    await this.#release.now();
  }
}

export type UpdateLock = HeldLock;

/** A device whose transaction this program may write. */
export interface LockedDevice extends Device {
  readonly lock: UpdateLock;
}

/**
 * Takes the lock for a hook: only one update may run. When our own updater starts an install, it holds the lock while RAUC
 * runs the hooks; it has noted the version, and the hooks for that version run under its lock. Throws a busy Failure.
 */
export function takeInstallLock(device: BareDevice, program: string, version: string): UpdateLock {
  const result = tryLock(lockFileOf(device.places), program);
  if (isLock(result)) {
    result.note(version);
    return new HeldLock(device, result);
  }
  if (isUpdaterOf(version, result)) return new HeldLock(device, 'not ours');
  throw busy(result);
}

/** Takes the updater's own lock; it never joins the install of another program. Throws a busy Failure. */
export function takeUpdaterLock(device: BareDevice): UpdateLock {
  return takeProgramLock(device, updaterName);
}

/**
 * Takes the updater's own lock, to fetch or install, if no other install runs. RAUC is asked first: between the hooks of an
 * install no program holds the lock, and taking it there would make that install fail. Throws a busy Failure.
 */
export async function takeFreeUpdaterLock(device: BareDevice): Promise<UpdateLock> {
  await requireFree(device);
  return takeUpdaterLock(device);
}

/** For a dry run of what takes that lock: also throws a busy Failure where RAUC installs for another program. */
export async function requireFree(device: BareDevice): Promise<void> {
  requireIdle(device.places);
  await answeredSlots(device);
}

/** Takes the lock for this program alone, under its name. Throws a busy Failure. */
export function takeProgramLock(device: BareDevice, program: string): UpdateLock {
  const result = tryLock(lockFileOf(device.places), program);
  if (isLock(result)) return new HeldLock(device, result);
  throw busy(result);
}

/**
 * Waits for the lock: until a trial has its verdict, or the data is restored, no other program may install over the
 * fallback, restore or switch slots. The boot must not fail if the lock cannot be created at all: that is logged, and the
 * boot continues without it. Throws a busy Failure after 10 minutes.
 */
export async function waitForBootLock(device: BareDevice): Promise<UpdateLock> {
  const { log, signal } = device;
  const deadline = new Deadline(longestWaitMs);
  let isTold = false;
  for (;;) {
    try {
      return takeProgramLock(device, 'post-activate');
    } catch (error) {
      const isBusy = error instanceof Failure && error.outcome === 'busy';
      if (!isBusy) {
        log.warn(`${reasonOf(error)}; continuing without it`);
        return new HeldLock(device, 'not ours');
      }
      if (deadline.isOver) throw error;
      if (!isTold) log.info(`Waiting for the lock: ${reasonOf(error)}`);
      isTold = true;
    }
    await pause(askPauseMs, signal);
  }
}

/** For a program that only reads: throws a busy Failure where an update is running, and does not take the lock. */
export function requireIdle(places: Places): void {
  const holder = lockHolder(lockFileOf(places));
  if (holder !== undefined) throw busy(holder);
}

/** Whether it is our own updater that asked RAUC for this version, so that RAUC's hooks run on its behalf. */
export function isUpdaterOf(version: string, holder: LockHolder): boolean {
  return holder.program === updaterName && holder.installing === version;
}

export const updaterName = 'update.sh';

function busy({ program, pid }: LockHolder): Failure {
  return new Failure(`Cannot take the lock: another update is running (${program}, process ${pid})`, {
    outcome: 'busy',
    advice: 'Wait until it has ended',
  });
}
