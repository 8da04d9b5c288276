import { type ArchiveReport, createArchive } from '../data/archive.ts';
import { armStartAgain, startUnit, stopUnit } from '../stack/unit.ts';
import type { Config } from '../system/config.ts';
import { Failure, reasonOf } from '../system/failure.ts';
import type { Running } from '../system/program.ts';

import { isKnownActive } from './still-stack.ts';

/** Longer than the backup's own deadline: the timer is for a program that can no longer keep it. */
const deadManMarginSeconds = 15;

/** Archives the config folder, with the orchestrator stopped only meanwhile; systemd starts it if we no longer can. */
export async function backUpConfig(target: string, config: Config, running: Running): Promise<ArchiveReport> {
  const { log, signal } = running;
  const { configPath, update } = config;
  const startAgain = await stopForBackup(config, running);
  const late = AbortSignal.timeout(update.backupDeadlineSeconds * 1000);
  try {
    const report = await log.step('Backing up', 'Backed up', `"${configPath}"`, () =>
      createArchive({ folder: configPath, target, signal: AbortSignal.any([signal, late]) }),
    );
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

/** Where systemd does not answer (a chroot), the folder is archived as it is: one that changes meanwhile is refused. */
async function stopForBackup(
  { update }: Config,
  { log, undo, signal }: Running,
): Promise<() => Promise<void>> {
  const { unit, backupDeadlineSeconds } = update;
  let disarm: () => Promise<void>;
  try {
    if (!(await isKnownActive(unit, log, signal))) return async () => {};
    disarm = await armStartAgain(unit, backupDeadlineSeconds + deadManMarginSeconds);
  } catch (error) {
    signal.throwIfAborted();
    log.warn(`${reasonOf(error)}; it is not stopped for the backup`);
    return async () => {};
  }
  const start = undo.owe(`stop "${unit}"`, async () => {
    await log.step('Starting', 'Started', `"${unit}"`, () => startUnit(unit));
    await disarm().catch((error: unknown) => log.warn(`Cannot disarm the timer: ${reasonOf(error)}`));
  });
  await log.step('Stopping', 'Stopped', `"${unit}"`, () =>
    stopUnit(unit, backupDeadlineSeconds * 1000, signal),
  );
  return () => start.now();
}
