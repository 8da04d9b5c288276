import { pause } from '../../system/deadline.ts';
import { formatBytes } from '../../system/files/disk.ts';
import type { Log } from '../../system/terminal/log.ts';
import { type Database, databaseReasonOf, readFreeBytes } from './database.ts';
import type { DatabaseNames } from './database-facts.ts';
import { dropReplaced, swap } from './restore-steps.ts';

/** The steps of a restore that are retried, or that may fail without failing the restore. */

interface Attempt extends Database {
  log: Log;
}

const attempts = 5;
const attemptPauseMs = 500;

/**
 * Warns if space may be short; the restore is tried anyway. The old and the restored database stand side by
 * side, and PostgreSQL's write-ahead log may grow by as much.
 */
export async function isShortOfSpace(request: Attempt, bytes: number): Promise<boolean> {
  const free = await readFreeBytes(request);
  if (free >= bytes * 2) return false;
  const needed = `${formatBytes(bytes)} to ${formatBytes(bytes * 2)}`;
  request.log.warn(
    `Only ${formatBytes(free)} are free on the volume of the database; a restore takes ${needed}`,
  );
  return true;
}

/** Retries the swap: a client that connects again and again may come between the end of the sessions and the rename. */
export async function swapAtLast(
  request: Attempt,
  names: DatabaseNames,
  note: string,
  hasLive: boolean,
): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await swap(request, names, note, hasLive);
    } catch (error) {
      const reason = databaseReasonOf(error);
      if (attempt === attempts || !reason.includes('is being accessed by other users')) throw error;
      request.log.warn(`Cannot swap the databases yet: ${reason}`);
      await pause(attemptPauseMs, request.signal);
    }
  }
}

/**
 * The live database is restored by now: a replaced one that cannot be dropped only takes space until the next restore
 * drops it.
 */
export async function dropReplacedAtLast(request: Attempt, names: DatabaseNames): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await dropReplaced(request, names);
    } catch (error) {
      if (request.signal?.aborted) throw error;
      request.log.warn(`Cannot drop the replaced database "${names.replaced}": ${databaseReasonOf(error)}`);
      if (attempt === attempts) return;
      await pause(attemptPauseMs, request.signal);
    }
  }
}
