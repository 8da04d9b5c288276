import { readScheduledShutdown } from '../../stack/shutdown.ts';
import { Deadline, pause } from '../../system/deadline.ts';
import type { Outcome } from '../../system/exit-code.ts';
import { errorCodeOf, Failure } from '../../system/failure.ts';
import { lockFileOf, logFileOf, type Places } from '../../system/places.ts';
import { type LockHolder, lockHolder } from '../../system/process/lock.ts';
import type { Running } from '../../system/process/program.ts';
import type { Values } from '../../system/terminal/arguments.ts';
import { readProgress } from '../install/progress.ts';
import { cancelReboot } from '../schedule/reboot-after.ts';
import { type BareDevice, openDevice } from '../transaction/device.ts';
import { updaterName } from '../transaction/update-lock.ts';
import { cancelInstalled } from './rollback.ts';

/** Time for the program that was told to end to run its undo steps. */
const endMs = 60_000;
const askPauseMs = 100;

/**
 * Cancels what is not done yet: a running download or install as far as possible, a scheduled reboot, an update that waits for
 * its reboot. A second call finds nothing. Throws a Failure when RAUC already writes the slot.
 */
export async function cancel(values: Values, running: Running): Promise<Outcome> {
  const device = openDevice(values, running);
  const { places, log } = device;
  device.allow(endMs * 2);
  const holder = lockHolder(lockFileOf(places));
  if (values.flag('dry-run')) return await sayWhat(holder, values, device);
  log.alsoTo(logFileOf(places));
  const isRaucAtWork = holder !== undefined && (await endInstaller(holder, device));
  const hasReboot = await cancelReboot(device);
  if (isRaucAtWork)
    throw new Failure('Cannot cancel the install any more: RAUC is writing the slot and cannot be stopped', {
      outcome: 'tryLater',
      advice:
        'No reboot follows it; run update.sh cancel again when RAUC is done, and the version that runs is kept',
    });
  const outcome = await cancelInstalled(values, device);
  if (holder === undefined && !hasReboot && outcome === undefined) log.info('There is nothing to cancel');
  return outcome ?? 'done';
}

/** Ends the installer. Returns whether RAUC continues the install without it. */
async function endInstaller(holder: LockHolder, { places, log, signal }: BareDevice): Promise<boolean> {
  if (!isInstaller(holder, places))
    throw new Failure(`Cannot cancel ${holder.program} (process ${holder.pid}): it is no install`, {
      outcome: 'busy',
      advice: 'Wait until it has ended',
    });
  const isRaucAtWork = isAtRauc(holder, places);
  const name = `${holder.program} (process ${holder.pid})`;
  await log.step('Ending', 'Ended', name, async () => {
    tellToEnd(holder.pid);
    const deadline = new Deadline(endMs);
    while (lockHolder(lockFileOf(places))?.pid === holder.pid) {
      if (deadline.isOver)
        throw new Failure(`Cannot end ${name}: it still runs after ${endMs / 1000} s`, { outcome: 'busy' });
      await pause(askPauseMs, signal);
    }
  });
  return isRaucAtWork;
}

/** A backup, a restore and a repair hold the lock under the same name, and must not be interrupted. */
function isInstaller({ program, pid, installing }: LockHolder, places: Places): boolean {
  return (
    program === updaterName && pid > 1 && (installing !== undefined || readProgress(places)?.pid === pid)
  );
}

/** Without the installer's progress file the version in the lock decides: it is noted just before RAUC is called. */
function isAtRauc(holder: LockHolder, places: Places): boolean {
  const progress = readProgress(places);
  return progress?.pid === holder.pid ? progress.phase === 'installing' : holder.installing !== undefined;
}

function tellToEnd(pid: number): void {
  try {
    process.kill(pid, 'SIGTERM');
  } catch (error) {
    if (errorCodeOf(error) !== 'ESRCH') throw error;
  }
}

async function sayWhat(holder: LockHolder | undefined, values: Values, device: BareDevice): Promise<Outcome> {
  const { log, signal } = device;
  if (holder !== undefined) {
    log.info(`Would end ${holder.program} (process ${holder.pid})`);
    return 'done';
  }
  const scheduled = await readScheduledShutdown(signal);
  if (scheduled !== undefined)
    log.info(`Would cancel the ${scheduled.mode} that is scheduled for ${scheduled.at.toISOString()}`);
  const outcome = await cancelInstalled(values, device);
  if (scheduled === undefined && outcome === undefined) log.info('There is nothing to cancel');
  return 'done';
}
