import { dumpFile } from '../../data/backups/backup.ts';
import { freeTime } from '../../data/backups/free-time.ts';
import { endSessionsOfStack } from '../../data/database/database.ts';
import { readNotedRevisions } from '../../data/database/database-facts.ts';
import { dumpDatabase } from '../../data/database/dump.ts';
import { restoreDatabase } from '../../data/database/restore.ts';
import { saveRedis } from '../../data/redis/redis.ts';
import { restoreRedis } from '../../data/redis/redis-restore.ts';
import { migrate, readRevisions } from '../../stack/migrations.ts';
import { needsMigration, type Revisions } from '../../stack/migrations-revisions.ts';
import { endMigration } from '../../stack/migrations-run.ts';
import { stopUnit } from '../../stack/unit.ts';
import { Failure } from '../../system/failure.ts';
import { faultPoint } from '../../system/fault-point.ts';
import type { Device } from '../transaction/device.ts';
import { isMigrated, needsRestore } from '../transaction/transaction.ts';
import type { TransactionWriter } from '../transaction/transaction-writer.ts';
import { waitForDatabase } from './database-ready.ts';
import type { Stack } from './stack.ts';

/** The data steps of the transaction: dump, migrate, restore. Each can run again after an interruption at any line. */

const stopMs = 120_000;

/**
 * Stops the stack except the database; when the new version has a new schema, dumps, then migrates. Returns the heads that the
 * schema has to stay at; undefined when unknown.
 */
export async function bringDataForward(
  record: TransactionWriter,
  stack: Stack,
  device: Device,
): Promise<readonly string[] | undefined> {
  const { log } = device;
  if (stack.database === undefined || stack.migrations === undefined) return undefined;
  // Docker may have restarted what ran in the previous boot, or the version that does not know the schema.
  await stopWriters(stack, device);
  if (isMigrated(record.transaction))
    return await headsToStayAt(stack, await readRevisions(stack.migrations));
  if (needsRestore(record.transaction)) {
    log.warn('A migration was interrupted: the data is restored from the dump first');
    await restoreFromDump(record, stack, device);
    record.note({ migration: undefined, restored: undefined });
  }

  const revisions = await readRevisions(stack.migrations);
  if (!needsMigration(revisions)) {
    log.info('The database is at the schema of this version');
    return await headsToStayAt(stack, revisions);
  }
  await dumpOnce(record, stack, device);
  await faultPoint('data:dumped');
  record.note({
    migration: { at: new Date().toISOString(), afterSteps: record.transaction.steps.length },
  });
  await faultPoint('data:migrating');
  await migrateAll(stack, device);
  await faultPoint('data:migrated');
  record.advance('migrated');
  return await headsToStayAt(stack, revisions);
}

/** The heads of alembic, if the database itself notes the same: not every stack notes them in the table that we read. */
async function headsToStayAt(
  { database }: Stack,
  { heads }: Revisions,
): Promise<readonly string[] | undefined> {
  if (database === undefined) return undefined;
  const noted = await readNotedRevisions(database);
  return noted.toSorted().join() === heads.toSorted().join() ? heads : undefined;
}

/** Saves redis and dumps the database. Keeps the dump of an earlier boot of this trial: nothing has run since. */
async function dumpOnce(record: TransactionWriter, stack: Stack, { config, log }: Device): Promise<void> {
  const { from, to, dump } = record.transaction;
  const { database, redis } = stack;
  if (dump !== undefined || database === undefined) return;
  const fileAt = (at: Date, kind: 'dump' | 'rdb'): string =>
    dumpFile(config.backupPath, from.version ?? undefined, to.version ?? 'unknown', at, kind);
  const now = freeTime(new Date(), (at) => [fileAt(at, 'dump'), fileAt(at, 'rdb')]);
  const fileOf = (kind: 'dump' | 'rdb'): string => fileAt(now, kind);
  if (redis !== undefined) {
    await stack.compose.up([redis.service], { noDeps: true });
    const saved = await log.step('Saving', 'Saved', `"${redis.service}"`, () =>
      saveRedis({ ...redis, target: fileOf('rdb') }),
    );
    await stack.compose.stop([redis.service], { deadlineMs: stopMs });
    record.note({ redis: { path: saved.path, sha256: saved.sha256, file: saved.file } });
  }
  const taken = await log.step('Dumping', 'Dumped', `the database of "${database.service}"`, () =>
    dumpDatabase({ ...database, target: fileOf('dump') }),
  );
  record.note({ dump: { path: taken.path, sha256: taken.sha256, rows: taken.rows } });
}

/** Restores the dump, so that no restore is owed any more. Notes in `dropped` what was written since, because it is lost. */
export async function restoreFromDump(
  record: TransactionWriter,
  stack: Stack,
  device: Device,
): Promise<void> {
  const { log, signal } = device;
  const { dump, redis } = record.transaction;
  if (stack.database === undefined || dump === undefined) {
    throw new Failure(
      'Cannot restore the data: the slot has no database service, or the transaction no dump',
    );
  }
  await stopWriters(stack, device);
  const { dropped } = await restoreDatabase({ ...stack.database, dump: dump.path, log, signal });
  await faultPoint('data:restored');
  if (stack.redis !== undefined && redis !== undefined) {
    await stack.compose.stop([stack.redis.service], { deadlineMs: stopMs });
    await restoreRedis({ ...stack.redis, saved: redis.path, file: redis.file, log });
  }
  record.note({ restored: { at: new Date().toISOString(), dropped } });
}

/** Makes this program the only writer: stops the unit and every service except the database, and waits until that answers. */
async function stopWriters(stack: Stack, { config, log, signal }: Device): Promise<void> {
  const { unit, databaseService } = config.update;
  await log.step('Stopping', 'Stopped', `"${unit}"`, () => stopUnit(unit, stopMs, signal));
  const others = stack.compose
    .services()
    .map(({ name }) => name)
    .filter((name) => name !== databaseService);
  await stack.compose.stop(others, { deadlineMs: stopMs });
  // A migration continues in its container when the program that started it was killed.
  await endMigration(stack.compose);
  await stack.compose.up([databaseService], { noDeps: true });
  await waitForDatabase(stack, signal);
}

async function migrateAll({ migrations, database }: Stack, { config, log, signal }: Device): Promise<void> {
  if (migrations === undefined || database === undefined) return;
  const { migrationDeadlineSeconds, migrationLongestSeconds } = config.update;
  await migrate({
    ...migrations,
    deadlineMs: migrationDeadlineSeconds * 1000,
    longestMs: migrationLongestSeconds * 1000,
    log,
    signal,
    readNoted: () => readNotedRevisions(database),
    endSessions: () => endSessionsOfStack(database),
  });
}
