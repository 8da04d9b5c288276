import { type ArchiveReport, createArchive } from '../../data/archive/archive.ts';
import { armStartAgain, isUnitActive, startUnit, stopUnit } from '../../stack/unit.ts';
import { Deadline } from '../../system/deadline.ts';
import { Failure, reasonOf } from '../../system/failure.ts';
import { faultPoint } from '../../system/fault-point.ts';
import { makeFolder } from '../../system/files/durable-file.ts';
import type { Device } from '../transaction/device.ts';

/** Added to the backup's own deadline: the timer is for a program that can no longer keep that deadline. */
const deadManMarginSeconds = 15;

/**
 * `if possible` is for a backup by hand, where systemd may be out of reach (a chroot). `required` is for an update, which must
 * not begin unless the orchestrator can be stopped.
 */
export type Standstill = 'required' | 'if possible';

/** Archives the config folder while the orchestrator is stopped, and starts it again; systemd starts it if we no longer can. */
export async function backUpConfig(
  target: string,
  standstill: Standstill,
  device: Device,
): Promise<ArchiveReport> {
  const { log, signal } = device;
  const { configPath, update } = device.config;
  const deadline = new Deadline(update.backupDeadlineSeconds * 1000);
  const startAgain = await stopForBackup(standstill, deadline, device);
  await faultPoint('backup:stopped');
  const late = AbortSignal.timeout(deadline.leftMs);
  try {
    const report = await log.step('Backing up', 'Backed up', `"${configPath}"`, () =>
      createArchive({ folder: configPath, target, signal: AbortSignal.any([signal, late]) }),
    );
    await faultPoint('backup:done');
    for (const { path, kind } of report.leftOut) log.warn(`Left out of the backup: ${kind} "${path}"`);
    return report;
  } catch (error) {
    if (signal.aborted || !late.aborted) throw error;
    throw new Failure(
      `Cannot back up "${configPath}": it did not end within ${update.backupDeadlineSeconds} s`,
      { advice: 'Raise update.backup_deadline_seconds in orchestrator.yaml' },
    );
  } finally {
    await startAgain();
  }
}

/** Stops the orchestrator. In every case it is started again: by us, or by systemd's timer if this program is gone by then. */
async function stopForBackup(
  standstill: Standstill,
  deadline: Deadline,
  { config, log, undo, signal }: Device,
): Promise<() => Promise<void>> {
  const { unit, backupDeadlineSeconds } = config.update;
  let disarm: () => Promise<void>;
  try {
    if (!(await isUnitActive(unit, signal))) {
      log.info(`"${unit}" does not run, nothing to stop`);
      return async () => {};
    }
    disarm = await armStartAgain(unit, { afterSeconds: backupDeadlineSeconds + deadManMarginSeconds });
  } catch (error) {
    signal.throwIfAborted();
    if (standstill === 'required') throw error;
    log.warn(`${reasonOf(error)}; it is not stopped for the backup`);
    return async () => {};
  }
  const start = undo.owe(`stop "${unit}"`, async () => {
    await log.step('Starting', 'Started', `"${unit}"`, () => startUnit(unit));
    // The timer may have fired by now; starting a running unit does nothing.
    await disarm().catch((error: unknown) => log.warn(`Cannot disarm the timer: ${reasonOf(error)}`));
  });
  await log.step('Stopping', 'Stopped', `"${unit}"`, () => stopUnit(unit, deadline.leftMs, signal));
  return () => start.now();
}

export function makeBackupFolder(path: string): void {
  try {
    makeFolder(path);
  } catch (error) {
    throw new Failure(`Cannot make the backup folder "${path}": ${reasonOf(error)}`, { cause: error });
  }
}
