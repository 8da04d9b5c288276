import { existsSync } from 'node:fs';
import { manualFile } from '../../data/backups/backup.ts';
import { freeTime } from '../../data/backups/free-time.ts';
import { expireBackups } from '../../data/backups/retention.ts';
import { dumpDatabase } from '../../data/database/dump.ts';
import type { SavedFile } from '../../data/database/dump-file.ts';
import { saveRedis } from '../../data/redis/redis.ts';
import type { Outcome } from '../../system/exit-code.ts';
import { Failure, reasonOf } from '../../system/failure.ts';
import { formatBytes } from '../../system/files/disk.ts';
import { logFileOf } from '../../system/places.ts';
import type { Running } from '../../system/process/program.ts';
import type { Values } from '../../system/terminal/arguments.ts';
import { print } from '../../system/terminal/print.ts';
import { backUpConfig, makeBackupFolder } from '../data/back-up-config.ts';
import { findStack, requireStack, type Stack } from '../data/stack.ts';
import { haveRunning } from '../data/stack-control.ts';
import { readRelease } from '../slot/release.ts';
import { type Device, openDevice, withConfig } from '../transaction/device.ts';
import { transactionForRecovery } from '../transaction/transaction-store.ts';
import { requireFree, takeFreeUpdaterLock } from '../transaction/update-lock.ts';

const backupMs = 4 * 60 * 60_000;

type Targets = Record<'config' | 'database' | 'redis', string>;

/** Saves config, database and redis of the running system, as an update does; prints the paths of the files on stdout. */
export async function backUpByHand(values: Values, running: Running): Promise<Outcome> {
  running.allow(backupMs);
  const device = withConfig(openDevice(values, running));
  const { places, config, log } = device;
  const [isConfigOnly, isDatabaseOnly] = [values.flag('config-only'), values.flag('database-only')];
  if (isConfigOnly && isDatabaseOnly)
    throw new Failure('Cannot back up with --config-only and --database-only: they exclude each other', {
      outcome: 'usage',
    });
  if (values.flag('dry-run')) {
    await requireFree(device);
    const targets = freeTargets(device);
    if (!isDatabaseOnly) log.info(`Would back up "${config.configPath}" to "${targets.config}"`);
    if (!isConfigOnly) log.info(`Would dump the database to "${targets.database}", the stack running on`);
    return 'done';
  }

  log.alsoTo(logFileOf(places));
  await takeFreeUpdaterLock(device);
  makeBackupFolder(config.backupPath);
  const targets = freeTargets(device);
  const saved: SavedFile[] = [];
  if (!isConfigOnly) saved.push(...(await backUpData(targets, isDatabaseOnly, device)));
  if (!isDatabaseOnly) saved.push(await backUpFolder(targets.config, device));
  for (const { path, bytes } of saved) log.info(`Saved "${path}" (${formatBytes(bytes)})`);
  expireOld(device);
  print(1, saved.map(({ path }) => `${path}\n`).join(''));
  return 'done';
}

function freeTargets({ places, config }: Device): Targets {
  const version = readRelease(places.root);
  const targetsAt = (at: Date): Targets => {
    const nameOf = (end: 'tar.zst' | 'dump' | 'rdb'): string =>
      manualFile(config.backupPath, version, at, end);
    return { config: nameOf('tar.zst'), database: nameOf('dump'), redis: nameOf('rdb') };
  };
  return targetsAt(freeTime(new Date(), (at) => Object.values(targetsAt(at))));
}

async function backUpFolder(target: string, device: Device): Promise<SavedFile> {
  const { configPath } = device.config;
  if (!existsSync(configPath)) throw new Failure(`Cannot back up "${configPath}": no such folder`);
  return await backUpConfig(target, 'if possible', device);
}

/** Dumps while the stack runs: a dump is consistent by itself. A needed service that does not run is started meanwhile. */
async function backUpData(targets: Targets, isRequired: boolean, device: Device): Promise<SavedFile[]> {
  const { places, config, log, signal } = device;
  const stack = isRequired
    ? await requireStack('back up the database', device)
    : await findStack(places.root, places.data, config);
  const { database, redis } = stack ?? {};
  if (stack === undefined || database === undefined) {
    if (isRequired) throw noDatabase(stack);
    log.info('There is no database in this slot, nothing to dump');
    return [];
  }
  const services = [database.service, ...(redis === undefined ? [] : [redis.service])];
  const putBack = await haveRunning(services, stack, device);
  const saved: SavedFile[] = [];
  if (redis !== undefined)
    saved.push(
      await log.step('Saving', 'Saved', `"${redis.service}"`, () =>
        saveRedis({ ...redis, target: targets.redis, signal }),
      ),
    );
  saved.push(
    await log.step('Dumping', 'Dumped', `the database of "${database.service}"`, () =>
      dumpDatabase({ ...database, target: targets.database, signal }),
    ),
  );
  await putBack();
  return saved;
}

/** Only warns: a failure here costs disk space, and the new backup is complete. */
function expireOld(device: Device): void {
  const { config, log } = device;
  const { backupPath, update } = config;
  const transaction = transactionForRecovery(device);
  const inUse = [transaction?.backup, transaction?.dump, transaction?.redis].flatMap(
    (file) => file?.path ?? [],
  );
  const { keepBackups: keep, backupBudgetMiB } = update;
  const budgetBytes = backupBudgetMiB === undefined ? undefined : backupBudgetMiB * 1024 * 1024;
  try {
    expireBackups(backupPath, { keep, budgetBytes, inUse, log });
  } catch (error) {
    log.warn(`Cannot remove old backups: ${reasonOf(error)}`);
  }
}

function noDatabase(stack: Stack | undefined): Failure {
  return new Failure(
    `Cannot back up the database: the compose file "${stack?.compose.file}" has no database service`,
  );
}
