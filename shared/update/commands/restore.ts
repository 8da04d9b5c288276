import { existsSync, realpathSync, rmSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import type { Config } from '../../config/config.ts';
import { type VerifiedArchive, verifyArchive } from '../../data/archive/archive-check.ts';
import { unpackArchive } from '../../data/archive/archive-unpack.ts';
import { swapFolder } from '../../data/backups/folder-swap.ts';
import type { Outcome } from '../../system/exit-code.ts';
import { faultPoint } from '../../system/fault-point.ts';
import { checkSaved } from '../../system/files/checksum.ts';
import { lockFileOf, logFileOf } from '../../system/places.ts';
import type { Running } from '../../system/process/program.ts';
import type { Values } from '../../system/terminal/arguments.ts';
import { requireYes } from '../../system/terminal/confirm.ts';
import { type Chosen, chooseRestore } from '../data/choose-restore.ts';
import { decideRestore } from '../data/require-restorable.ts';
import { dataRestoreOf, requireServices, restoreData } from '../data/restore-data.ts';
import { requireStack } from '../data/stack.ts';
import { stopOrchestrator } from '../data/stop-orchestrator.ts';
import { unpackFolderOf } from '../repair/find-leftovers.ts';
import { readRelease } from '../slot/release.ts';
import { type Device, openDevice, withConfig } from '../transaction/device.ts';
import { transactionForRecovery } from '../transaction/transaction-store.ts';
import { requireFree, takeFreeUpdaterLock } from '../transaction/update-lock.ts';
import { tellBackups } from './restore-list.ts';

const restoreMs = 6 * 60 * 60_000;
const stopMs = 120_000;

/** Restores from a backup; a damaged one is refused before anything is stopped or changed. */
export async function restoreByHand(values: Values, running: Running): Promise<Outcome> {
  running.allow(restoreMs);
  const device = withConfig(openDevice(values, running));
  const { places, config, log, signal } = device;
  if (values.flag('list')) return await tellBackups(config.backupPath, values, signal);

  const isDryRun = values.flag('dry-run');
  if (isDryRun) await requireFree(device);
  const lock = isDryRun ? undefined : await takeFreeUpdaterLock(device);
  const transaction = transactionForRecovery(device);
  const chosen = chooseRestore(
    {
      archive: values.text('archive'),
      isConfigOnly: values.flag('config-only'),
      isDatabaseOnly: values.flag('database-only'),
      version: readRelease(places.root),
    },
    config.backupPath,
  );
  const data = dataRestoreOf(chosen, transaction);
  if (data !== undefined) decideRestore(transaction);
  const archive = await verifyConfig(chosen, config, signal);
  for (const { kind, path } of chosen) if (kind !== 'config') await checkSaved(path, signal);
  const stack = data === undefined ? undefined : await requireStack('restore the data', device);
  if (data !== undefined && stack !== undefined) requireServices(data, stack);

  for (const one of chosen) log.info(`${isDryRun ? 'Would replace' : 'Replacing'} ${describe(one, config)}`);
  if (lock === undefined) return 'done';
  await requireYes('Replace what is there now?', values.flag('yes'), signal);
  log.alsoTo(logFileOf(places));
  log.info(`Restoring by hand from ${chosen.map(({ path }) => `"${path}"`).join(', ')}`);

  const unpacked = archive && (await unpackConfig(archive, device));
  const deadMan = { whenFree: lockFileOf(places) };
  const startAgain = await stopOrchestrator('restore', { deadMan, stopMs: () => stopMs }, device);
  await faultPoint('restore:stopped');
  if (data !== undefined && stack !== undefined) await restoreData(data, stack, { ...device, lock });
  unpacked?.putInPlace();
  await startAgain();
  log.info('Restored. Check with update.sh status and in the application that all is well');
  return 'done';
}

async function verifyConfig(
  chosen: readonly Chosen[],
  { configPath }: Config,
  signal: AbortSignal,
): Promise<VerifiedArchive | undefined> {
  const path = chosen.find(({ kind }) => kind === 'config')?.path;
  return path === undefined ? undefined : await verifyArchive(path, basename(resolve(configPath)), signal);
}

/** Unpacking takes time, so it is done before anything is stopped. */
async function unpackConfig(
  archive: VerifiedArchive,
  { config: { configPath }, log, undo, signal }: Device,
): Promise<{ putInPlace(): void }> {
  const folder = existsSync(configPath) ? realpathSync(configPath) : resolve(configPath);
  const into = unpackFolderOf(folder);
  undo.owe('unpack the backup', () => rmSync(into, { recursive: true, force: true }));
  const fresh = await log.step('Unpacking', 'Unpacked', `"${archive.path}"`, () =>
    unpackArchive({ archive, into, signal }),
  );
  return {
    putInPlace() {
      const kept = swapFolder(folder, fresh, new Date());
      log.info(`Restored "${folder}"${kept === undefined ? '' : `; what it replaced is "${kept}"`}`);
    },
  };
}

function describe({ kind, path }: Chosen, { configPath, update }: Config): string {
  const things = {
    config: `"${configPath}"`,
    database: `the database of "${update.databaseService}", and lose what was written since`,
    redis: `what "${update.redisService}" knows`,
  };
  return `${things[kind]}, from "${path}"`;
}
