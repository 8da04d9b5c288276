import { existsSync } from 'node:fs';
import type { Config } from '../shared/config/config.ts';
import { backupFile } from '../shared/data/backups/backup.ts';
import { freeTime } from '../shared/data/backups/free-time.ts';
import { readBundleFacts } from '../shared/rauc/bundle-facts.ts';
import { readHookEnvironment } from '../shared/rauc/hook-environment.ts';
import { takeBaseline } from '../shared/stack/health/baseline.ts';
import { findChecks } from '../shared/stack/health/find-checks.ts';
import { faultPoint } from '../shared/system/fault-point.ts';
import { formatBytes } from '../shared/system/files/disk.ts';
import { logFileOf } from '../shared/system/places.ts';
import { backUpConfig, makeBackupFolder } from '../shared/update/data/back-up-config.ts';
import { readRelease } from '../shared/update/slot/release.ts';
import { forgetAdmission } from '../shared/update/transaction/admission-note.ts';
import { type Device, openDevice, withConfigToInstall } from '../shared/update/transaction/device.ts';
import { TransactionWriter } from '../shared/update/transaction/transaction-writer.ts';
import { takeInstallLock } from '../shared/update/transaction/update-lock.ts';
import { type Hook, hookFiles, hookOptions } from './hook.ts';

/** Time to stop and start the unit around the backup. */
const serviceMs = 300_000;

/** Runs before RAUC writes the slot: backs up the configuration; the orchestrator is stopped only during the backup. */
export const preInstall: Hook = {
  spec: {
    name: 'pre-install',
    summary: 'back up the configuration before the new slot is written',
    commands: [{ summary: 'Stop the orchestrator, back up, start it again', options: hookOptions }],
    examples: [
      ['$0 --bundle /mnt --dry-run', 'Say what would be done for the bundle mounted at /mnt'],
      ['$0 --bundle /mnt', 'Do it by hand'],
    ],
    files: hookFiles,
    notes: 'RAUC calls it as the hook slot-pre-install. However it ends, it starts again what it stopped.',
  },
  deadlineMs: 120_000,

  async story(_command, values, running) {
    const bare = openDevice(values, running);
    const { places, log, undo, signal } = bare;
    const place = readHookEnvironment({ bundle: values.text('bundle') });
    const bundle = readBundleFacts(place.bundle);
    const from = readRelease(places.root);
    const targetOf = ({ configPath, backupPath }: Config): string | undefined => {
      if (!existsSync(configPath)) return undefined;
      const fileAt = (at: Date): string => backupFile(backupPath, from, bundle.version, at);
      return fileAt(freeTime(new Date(), (at) => [fileAt(at)]));
    };
    if (values.flag('dry-run')) {
      const device = withConfigToInstall(bare);
      describe(targetOf(device.config), device);
      return 'done';
    }

    // RAUC has already taken the slot out of the boot order: a failure from here on must be recorded, to put it back.
    log.alsoTo(logFileOf(places));
    const lock = takeInstallLock(bare, 'pre-install', bundle.version);
    const to = { version: bundle.version, slot: place.slotName ?? null };
    const record = TransactionWriter.open(lock, { version: from ?? null, slot: null }, to, log);
    undo.owe('close the transaction', (reason) => record.failUnlessDone(reason));
    // From here on the transaction shows why the slot is out; the note alone would declare a half-written slot whole.
    forgetAdmission(places);
    log.info(`Preparing the update from "${from ?? 'unknown'}" to "${bundle.version}"`);
    await faultPoint('pre-install:opened');
    const device = withConfigToInstall(bare);
    const { config } = device;
    device.allow(config.update.backupDeadlineSeconds * 1000 + serviceMs);
    const target = targetOf(config);
    const checks = await findChecks({ root: places.root, config: config.update, log, signal });
    record.note({ baseline: await takeBaseline(checks, signal) });

    if (target !== undefined) {
      makeBackupFolder(config.backupPath);
      const { path, bytes, entries, sha256 } = await backUpConfig(target, 'required', device);
      log.info(`The backup is "${path}" (${formatBytes(bytes)}, ${entries} entries)`);
      record.note({ backup: { path, sha256 } });
    } else {
      log.info(`Nothing to back up: there is no "${config.configPath}"`);
    }
    record.advance('installing');
    return 'done';
  },
};

function describe(target: string | undefined, { config, log }: Device): void {
  if (target === undefined) {
    log.info(`Would back up nothing: there is no "${config.configPath}"`);
    return;
  }
  log.info(`Would stop "${config.update.unit}" if it runs`);
  log.info(`Would back up "${config.configPath}" to "${target}"`);
  log.info(`Would start "${config.update.unit}" again`);
}
