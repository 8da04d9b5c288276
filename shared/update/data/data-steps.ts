import { endSessionsOfStack } from '../../data/database/database.ts';
import { readNotedRevisions } from '../../data/database/database-facts.ts';
import { restoreDatabase } from '../../data/database/restore.ts';
import { restoreRedis } from '../../data/redis/redis-restore.ts';
import { migrate, readRevisions } from '../../stack/migrations.ts';
import { needsMigration, type Revisions } from '../../stack/migrations-revisions.ts';
import { endMigration } from '../../stack/migrations-run.ts';
import { stopUnit } from '../../stack/unit.ts';
import { Failure } from '../../system/failure.ts';
import { faultPoint } from '../../system/fault-point.ts';
import { isMigrated, needsRestore } from '../transaction/transaction.ts';
import type { DataWork } from './data-work.ts';
import { waitForDatabase } from './database-ready.ts';
import { dumpOnce } from './dump-data.ts';
import type { Stack } from './stack.ts';

/** The data steps of the transaction: dump, migrate, restore. Each can run again after an interruption at any line. */

const stopMs = 120_000;

/**
 * Stops the stack except the database; when the new version has a new schema, dumps, then migrates. Returns the heads that the
 * schema has to stay at; undefined when unknown.
 */
export async function bringDataForward(work: DataWork): Promise<readonly string[] | undefined> {
  const { record, stack, running } = work;
  const { log } = running;
  if (stack.database === undefined || stack.migrations === undefined) return undefined;
  // Docker may have restarted what ran in the previous boot, or the version that does not know the schema.
  await stopWriters(work);
  if (isMigrated(record.transaction))
    return await headsToStayAt(stack, await readRevisions(stack.migrations));
  if (needsRestore(record.transaction)) {
    log.warn('A migration was cut short: the data goes back to the dump first');
    await restoreFromDump(work);
    record.note({ migration: undefined, restored: undefined });
  }

  const revisions = await readRevisions(stack.migrations);
  if (!needsMigration(revisions)) {
    log.info('The database is at the schema of this version');
    return await headsToStayAt(stack, revisions);
  }
  await dumpOnce(work);
  await faultPoint('data:dumped');
  record.note({
    migration: { at: new Date().toISOString(), afterSteps: record.transaction.steps.length },
  });
  await faultPoint('data:migrating');
  await migrateAll(work);
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

/** Restores the dump, so that no restore is owed any more. Notes in `dropped` what was written since, because it is lost. */
export async function restoreFromDump(work: DataWork): Promise<void> {
  const { record, stack, running } = work;
  const { log, signal } = running;
  const { dump, redis } = record.transaction;
  if (stack.database === undefined || dump === undefined) {
    throw new Failure(
      'Cannot restore the data: the slot has no database service, or the transaction no dump',
    );
  }
  await stopWriters(work);
  const { dropped } = await restoreDatabase({ ...stack.database, dump: dump.path, log, signal });
  await faultPoint('data:restored');
  if (stack.redis !== undefined && redis !== undefined) {
    await stack.compose.stop([stack.redis.service], { deadlineMs: stopMs });
    await restoreRedis({ ...stack.redis, saved: redis.path, file: redis.file, log });
  }
  record.note({ restored: { at: new Date().toISOString(), dropped } });
}

/** Makes this program the only writer: stops the unit and every service except the database, and waits until that answers. */
async function stopWriters({ stack, config, running }: DataWork): Promise<void> {
  const { log, signal } = running;
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

async function migrateAll({ stack, config, running }: DataWork): Promise<void> {
  const { migrations, database } = stack;
  if (migrations === undefined || database === undefined) return;
  const { migrationDeadlineSeconds, migrationLongestSeconds } = config.update;
  await migrate({
    ...migrations,
    deadlineMs: migrationDeadlineSeconds * 1000,
    longestMs: migrationLongestSeconds * 1000,
    log: running.log,
    signal: running.signal,
    readNoted: () => readNotedRevisions(database),
    endSessions: () => endSessionsOfStack(database),
  });
}
