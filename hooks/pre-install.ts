import { existsSync } from 'node:fs';
import { type ArchiveReport, createArchive } from '../shared/data/archive.ts';
import { backupFile } from '../shared/data/backup.ts';
import { readBundleFacts } from '../shared/rauc/bundle-facts.ts';
import { readHookEnvironment } from '../shared/rauc/hook-environment.ts';
import { takeBaseline } from '../shared/stack/health/baseline.ts';
import { findChecks } from '../shared/stack/health/find-checks.ts';
import { armStartAgain, isUnitActive, startUnit, stopUnit } from '../shared/stack/unit.ts';
import { type Config, readConfig } from '../shared/system/config.ts';
import { Deadline } from '../shared/system/deadline.ts';
import { formatBytes } from '../shared/system/disk.ts';
import { makeFolder } from '../shared/system/durable-file.ts';
import { Failure, reasonOf } from '../shared/system/failure.ts';
import { faultPoint } from '../shared/system/fault-point.ts';
import { findPlaces, logFileOf } from '../shared/system/places.ts';
import type { Running } from '../shared/system/program.ts';
import { takeInstallLock } from '../shared/update/install-lock.ts';
import { UpdateRecord } from '../shared/update/record.ts';
import { readRelease } from '../shared/update/release.ts';
import { type Hook, hookOptions } from './hook.ts';

/** Longer than the backup's own deadline: the timer is for a program that can no longer keep it. */
const deadManMarginSeconds = 15;
/** For stopping and starting the unit around the backup. */
const serviceMs = 300_000;

/** Before RAUC writes the slot: back up the configuration, with the orchestrator stopped only meanwhile. */
export const preInstall: Hook = {
  spec: {
    name: 'pre-install',
    summary: 'back up the configuration before the new slot is written',
    commands: [{ summary: 'Stop the orchestrator, back up, start it again', options: hookOptions }],
    examples: [
      ['$0 --bundle /mnt --dry-run', 'Say what would be done for the bundle mounted at /mnt'],
      ['$0 --bundle /mnt', 'Do it by hand'],
    ],
    notes:
      'RAUC calls it as the hook slot-pre-install. Whatever way it ends, what it stopped is started again.',
  },
  deadlineMs: 120_000,

  async story(_command, values, running) {
    const { log, undo, signal } = running;
    const places = findPlaces({ data: values.text('data') });
    const place = readHookEnvironment({ bundle: values.text('bundle') });
    const bundle = readBundleFacts(place.bundle);
    const config = readConfig(places);
    const from = readRelease(places.root);
    const now = new Date();
    const target = existsSync(config.configPath)
      ? backupFile(config.backupPath, from, bundle.version, now)
      : undefined;
    if (values.flag('dry-run')) {
      describe(config, target, running);
      return 'done';
    }

    log.alsoTo(logFileOf(places));
    running.allow(config.update.backupDeadlineSeconds * 1000 + serviceMs);
    const lock = takeInstallLock(places, 'pre-install', bundle.version);
    undo.owe('release the lock', () => lock.release());

    const to = { version: bundle.version, slot: place.slotName ?? null };
    const record = UpdateRecord.open(places, { version: from ?? null, slot: null }, to, log);
    undo.owe('close the transaction', (reason) => record.failUnlessDone(reason));
    log.info(`Preparing the update from "${from ?? 'unknown'}" to "${bundle.version}"`);
    await faultPoint('pre-install:opened');
    const checks = await findChecks({ root: places.root, config: config.update, log, signal });
    record.note({ baseline: await takeBaseline(checks, signal) });

    if (target !== undefined) {
      makeBackupFolder(config.backupPath);
      const deadline = new Deadline(config.update.backupDeadlineSeconds * 1000);
      const startAgain = await standStill(config, deadline, running);
      await faultPoint('pre-install:stopped');
      const backup = await log.step('Backing up', 'Backed up', `"${config.configPath}"`, () =>
        backUpInTime(config, target, deadline, signal),
      );
      await faultPoint('pre-install:backed-up');
      for (const { path, kind } of backup.leftOut) log.warn(`Left out of the backup: ${kind} "${path}"`);
      log.info(`The backup is "${backup.path}" (${formatBytes(backup.bytes)}, ${backup.entries} entries)`);
      record.note({ backup: { path: backup.path, sha256: backup.sha256 } });
      await startAgain();
    } else {
      log.info(`Nothing to back up: there is no "${config.configPath}"`);
    }
    record.advance('installing');
    return 'done';
  },
};

/** Stops the unit, owing its start on every way out: by us, and by systemd's timer if we are gone by then. */
async function standStill(
  config: Config,
  deadline: Deadline,
  { log, undo, signal }: Running,
): Promise<() => Promise<void>> {
  const { unit, backupDeadlineSeconds } = config.update;
  if (!(await isUnitActive(unit, signal))) {
    log.info(`"${unit}" does not run, nothing to stop`);
    return async () => {};
  }
  const disarm = await armStartAgain(unit, backupDeadlineSeconds + deadManMarginSeconds);
  const start = undo.owe(`stop "${unit}"`, async () => {
    await log.step('Starting', 'Started', `"${unit}"`, () => startUnit(unit));
    // It may have run out by now; starting what runs already does nothing.
    await disarm().catch((error: unknown) => log.warn(`Cannot disarm the timer: ${reasonOf(error)}`));
  });
  await log.step('Stopping', 'Stopped', `"${unit}"`, () => stopUnit(unit, deadline.leftMs, signal));
  return () => start.now();
}

async function backUpInTime(
  { configPath, update }: Config,
  target: string,
  deadline: Deadline,
  signal: AbortSignal,
): Promise<ArchiveReport> {
  const late = AbortSignal.timeout(deadline.leftMs);
  try {
    return await createArchive({ folder: configPath, target, signal: AbortSignal.any([signal, late]) });
  } catch (error) {
    if (signal.aborted || !late.aborted) throw error;
    throw new Failure(
      `Cannot back up "${configPath}": it did not end within ${update.backupDeadlineSeconds} s`,
      {
        advice: 'Raise update.backup_deadline_seconds in orchestrator.yaml',
      },
    );
  }
}

function makeBackupFolder(path: string): void {
  try {
    makeFolder(path);
  } catch (error) {
    throw new Failure(`Cannot make the backup folder "${path}": ${reasonOf(error)}`, { cause: error });
  }
}

function describe(config: Config, target: string | undefined, { log }: Running): void {
  if (target === undefined) {
    log.info(`Would back up nothing: there is no "${config.configPath}"`);
    return;
  }
  log.info(`Would stop "${config.update.unit}" if it runs`);
  log.info(`Would back up "${config.configPath}" to "${target}"`);
  log.info(`Would start "${config.update.unit}" again`);
}
