import { join } from 'node:path';
import { restoreDatabase } from '../../data/database/restore.ts';
import { findRedisFile } from '../../data/redis/redis.ts';
import { restoreRedis } from '../../data/redis/redis-restore.ts';
import { Failure, reasonOf } from '../../system/failure.ts';
import type { Places } from '../../system/places.ts';
import type { Log } from '../../system/terminal/log.ts';
import { isVerdict, needsRestore, stateOf, type Transaction } from '../transaction/transaction.ts';
import { allTransactions } from '../transaction/transaction-store.ts';
import { TransactionWriter } from '../transaction/transaction-writer.ts';
import type { LockedDevice } from '../transaction/update-lock.ts';
import type { Chosen } from './choose-restore.ts';
import type { Stack } from './stack.ts';
import { keepOnly } from './stack-control.ts';

const askMs = 15_000;
const usualFile = 'dump.rdb';

export interface DataRestore {
  dump: string | undefined;
  redis: string | undefined;
  transaction: Transaction | undefined;
}

export function dataRestoreOf(
  chosen: readonly Chosen[],
  transaction: Transaction | undefined,
): DataRestore | undefined {
  const dump = chosen.find(({ kind }) => kind === 'database')?.path;
  const redis = chosen.find(({ kind }) => kind === 'redis')?.path;
  return dump === undefined && redis === undefined ? undefined : { dump, redis, transaction };
}

/** Throws a Failure when the stack has no service for a backup, before anything is stopped. */
export function requireServices({ dump, redis }: DataRestore, stack: Stack): void {
  const refuse = (path: string, what: string): Failure =>
    new Failure(`Cannot restore from "${path}": the compose file "${stack.compose.file}" has no ${what}`);
  if (dump !== undefined && stack.database === undefined) throw refuse(dump, 'database service');
  if (redis !== undefined && stack.redis === undefined) throw refuse(redis, 'redis service');
}

/** Restores database and redis in any state of the stack; afterwards the same services run as before. */
export async function restoreData(restore: DataRestore, stack: Stack, device: LockedDevice): Promise<void> {
  const { dump, redis } = restore;
  const { places, log, signal } = device;
  const file = redis === undefined ? usualFile : await fileOfRedis(redis, places, stack, log);
  const database = dump === undefined ? undefined : stack.database;
  const putBack = await keepOnly(database === undefined ? [] : [database.service], stack, device);
  if (database !== undefined && dump !== undefined) {
    const { dropped } = await restoreDatabase({ ...database, dump, log, signal });
    settleDebt(restore, dropped, device);
  }
  if (stack.redis !== undefined && redis !== undefined)
    await restoreRedis({ ...stack.redis, saved: redis, file, log, signal });
  await putBack();
}

/**
 * Ends an owed restore: the operator has chosen the data, and the next boot would overwrite it with the update's own dump. An
 * update without a verdict then counts as not migrated, and dumps again before it migrates.
 */
function settleDebt(
  { transaction, dump, redis }: DataRestore,
  dropped: string[],
  { lock, log }: LockedDevice,
): void {
  if (transaction === undefined || !needsRestore(transaction)) return;
  const record = TransactionWriter.resume(lock, transaction);
  if (isVerdict(stateOf(transaction))) record.note({ restored: { at: new Date().toISOString(), dropped } });
  else record.note({ migration: undefined, dump: undefined, redis: undefined });
  log.info(
    `The update to "${transaction.to.version ?? 'unknown'}" needs no restore any more${dump === transaction.dump?.path ? '' : ', although this is not the dump of that update'}`,
  );
  const left = transaction.redis?.path;
  if (left !== undefined && redis === undefined)
    log.warn(`Redis stays as it is; what was saved of it is "${left}"`);
}

/** The name of redis' file: as the update noted it, else as redis reports it if it runs, else the default name. */
async function fileOfRedis(saved: string, places: Places, { redis }: Stack, log: Log): Promise<string> {
  const noted = allTransactions(places).findLast((update) => update.redis?.path === saved)?.redis?.file;
  if (noted !== undefined || redis === undefined) return noted ?? usualFile;
  try {
    return await findRedisFile(redis, askMs);
  } catch (error) {
    log.info(`Using "${join(redis.dataFolder, usualFile)}" as the file of redis (${reasonOf(error)})`);
    return usualFile;
  }
}
