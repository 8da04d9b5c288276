import { type ArchiveReport, createArchive } from '../../data/archive/archive.ts';
import { Deadline } from '../../system/deadline.ts';
import { Failure, reasonOf } from '../../system/failure.ts';
import { faultPoint } from '../../system/fault-point.ts';
import { makeFolder } from '../../system/files/durable-file.ts';
import type { Device } from '../transaction/device.ts';
import { type Standstill, stopOrchestrator } from './stop-orchestrator.ts';

/** Added to the backup's own deadline: the timer is for a program that can no longer keep that deadline. */
const deadManMarginSeconds = 15;

/** Archives the config folder while the orchestrator is stopped, and starts it again; systemd starts it if we no longer can. */
export async function backUpConfig(
  target: string,
  standstill: Exclude<Standstill, 'restore'>,
  device: Device,
): Promise<ArchiveReport> {
  const { log, signal } = device;
  const { configPath, update } = device.config;
  const deadline = new Deadline(update.backupDeadlineSeconds * 1000);
  const deadMan = { afterSeconds: update.backupDeadlineSeconds + deadManMarginSeconds };
  const startAgain = await stopOrchestrator(standstill, { deadMan, stopMs: () => deadline.leftMs }, device);
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

export function makeBackupFolder(path: string): void {
  try {
    makeFolder(path);
  } catch (error) {
    throw new Failure(`Cannot make the backup folder "${path}": ${reasonOf(error)}`, { cause: error });
  }
}
