import { dumpFile } from '../data/backup.ts';
import { askDatabase, endSessionsOfStack } from '../data/database.ts';
import { readNotedRevisions } from '../data/database-facts.ts';
import { dumpDatabase } from '../data/dump.ts';
import { saveRedis } from '../data/redis.ts';
import { restoreRedis } from '../data/redis-restore.ts';
import { restoreDatabase } from '../data/restore.ts';
import { migrate, readRevisions } from '../stack/migrations.ts';
import { needsMigration } from '../stack/migrations-revisions.ts';
import { stopUnit } from '../stack/unit.ts';
import type { Config } from '../system/config.ts';
import { Deadline, pause } from '../system/deadline.ts';
import { Failure, reasonOf } from '../system/failure.ts';
import { faultPoint } from '../system/fault-point.ts';
import type { Running } from '../system/program.ts';
import type { UpdateRecord } from './record.ts';
import type { Stack } from './stack.ts';
import { isMigrated, owesRestore } from './transaction.ts';

/** The data's part of the transaction: dump, migrate, restore, each of them rerunnable from any line. */

export interface DataWork {
  record: UpdateRecord;
  stack: Stack;
  config: Config;
  running: Running;
}

const stopMs = 120_000;
const databaseReadyMs = 180_000;
const askPauseMs = 500;

/** With the stack stopped but for the database: dumps, then migrates, where the new version brings a new schema. */
export async function bringDataForward(work: DataWork): Promise<void> {
  const { record, stack, running } = work;
  const { log } = running;
  if (stack.database === undefined || stack.migrations === undefined || isMigrated(record.transaction))
    return;
  await standStill(work);
  if (owesRestore(record.transaction)) {
    log.warn('A migration was cut short: the data goes back to the dump first');
    await giveDataBack(work);
    record.note({ migration: undefined, restored: undefined });
  }

  const revisions = await readRevisions(stack.migrations);
  if (!needsMigration(revisions)) {
    log.info('The database is at the schema of this version');
    return;
  }
  await dumpOnce(work);
  await faultPoint('data:dumped');
  record.note({ migration: { at: new Date().toISOString() } });
  await faultPoint('data:migrating');
  await migrateAll(work);
  await faultPoint('data:migrated');
  record.advance('migrated');
}

/** Puts the dump back and pays the debt. What was written since is named, for it is lost. */
export async function giveDataBack(work: DataWork): Promise<void> {
  const { record, stack, running } = work;
  const { log, signal } = running;
  const { dump, redis } = record.transaction;
  if (stack.database === undefined || dump === undefined) {
    throw new Failure(
      'Cannot restore the data: the slot has no database service, or the transaction no dump',
    );
  }
  await standStill(work);
  const { dropped } = await restoreDatabase({ ...stack.database, dump: dump.path, log, signal });
  await faultPoint('data:restored');
  if (stack.redis !== undefined && redis !== undefined) {
    await stack.compose.stop([stack.redis.service], { deadlineMs: stopMs });
    await restoreRedis({ ...stack.redis, saved: redis.path, file: redis.file, log });
  }
  record.note({ restored: { at: new Date().toISOString(), dropped } });
}

/** Nobody writes but we: the unit stopped, every service stopped but the database, which answers. */
async function standStill({ stack, config, running }: DataWork): Promise<void> {
  const { log, signal } = running;
  const { unit, databaseService } = config.update;
  await log.step('Stopping', 'Stopped', `"${unit}"`, () => stopUnit(unit, stopMs, signal));
  const others = stack.compose
    .services()
    .map(({ name }) => name)
    .filter((name) => name !== databaseService);
  await stack.compose.stop(others, { deadlineMs: stopMs });
  await stack.compose.up([databaseService], { noDeps: true });
  await waitForDatabase(stack, signal);
}

export async function waitForDatabase({ database }: Stack, signal: AbortSignal): Promise<void> {
  if (database === undefined) return;
  const deadline = new Deadline(databaseReadyMs);
  for (;;) {
    try {
      await askDatabase(database, { script: 'SELECT 1;' });
      return;
    } catch (error) {
      signal.throwIfAborted();
      if (deadline.isOver)
        throw new Failure(`Cannot reach the database: ${reasonOf(error)}`, { cause: error });
    }
    await pause(askPauseMs, signal);
  }
}

/** A dump that an earlier boot of this trial took is still what was: nothing has run since. */
async function dumpOnce({ record, stack, config, running }: DataWork): Promise<void> {
  const { from, to, dump } = record.transaction;
  const { database, redis } = stack;
  if (dump !== undefined || database === undefined) return;
  const now = new Date();
  const fileOf = (kind: 'dump' | 'rdb'): string =>
    dumpFile(config.backupPath, from.version ?? undefined, to.version ?? 'unknown', now, kind);
  if (redis !== undefined) {
    await stack.compose.up([redis.service], { noDeps: true });
    const saved = await running.log.step('Saving', 'Saved', `"${redis.service}"`, () =>
      saveRedis({ ...redis, target: fileOf('rdb') }),
    );
    await stack.compose.stop([redis.service], { deadlineMs: stopMs });
    record.note({ redis: { path: saved.path, sha256: saved.sha256, file: saved.file } });
  }
  const taken = await running.log.step('Dumping', 'Dumped', `the database of "${database.service}"`, () =>
    dumpDatabase({ ...database, target: fileOf('dump') }),
  );
  record.note({ dump: { path: taken.path, sha256: taken.sha256, rows: taken.rows } });
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
