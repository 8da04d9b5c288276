import { statSync } from 'node:fs';
import { Failure } from '../../system/failure.ts';
import { CommandFailure } from '../../system/process/command.ts';
import type { Log } from '../../system/terminal/log.ts';
import { type Database, databaseReasonOf, endLeftovers, maintenance, readDatabaseName } from './database.ts';
import {
  type DatabaseFacts,
  type DatabaseNames,
  namesFor,
  type RowCounts,
  readFacts,
} from './database-facts.ts';
import { verifyDump } from './dump.ts';
import { dropReplacedAtLast, isShortOfSpace, swapAtLast } from './restore-attempts.ts';
import { describeDropped } from './restore-loss.ts';
import { createFresh, dropFresh, fillFresh, findDatabases, type Presence } from './restore-steps.ts';

export interface RestoreRequest extends Database {
  /** A file that dumpDatabase() has written. */
  dump: string;
  log: Log;
  deadlineMs?: number;
}

export interface RestoreReport {
  database: string;
  /** The revisions that alembic has recorded in the dump. */
  revisions: string[];
  rows: RowCounts;
  /** Changes since the dump, in numbers of rows: `orders: 3 rows more`. */
  dropped: string[];
}

const usualDeadlineMs = 3_600_000;

/**
 * Replaces the stack's database by the dump, also after an interrupted run. The dump is read through first; the live
 * database is whole at every moment, either the old or the restored one. Throws a Failure.
 */
export async function restoreDatabase(request: RestoreRequest): Promise<RestoreReport> {
  const { dump, log, signal } = request;
  const { sha256 } = await verifyDump({ ...request, path: dump });
  try {
    await endLeftovers(request);
    const names = namesFor(await readDatabaseName(request));
    log.info(`Restoring the database "${names.live}" from "${dump}"`);
    const report = await replaceLive(request, names, `replaced by the dump ${sha256}`);
    for (const line of report.dropped) log.warn(`Dropping what was written since the dump: ${line}`);
    log.info(`Restored the database "${names.live}"`);
    return report;
  } catch (error) {
    throw cannotRestore(request, error, signal);
  }
}

async function replaceLive(
  request: RestoreRequest,
  names: DatabaseNames,
  note: string,
): Promise<RestoreReport> {
  const found = await findDatabases(request, names);
  const like = found.hasLive ? names.live : found.hasReplaced ? names.replaced : maintenance;
  const lost = await readLost(request, names, found, note);
  const isShort = await isShortOfSpace(request, lost?.bytes ?? statSync(request.dump).size);
  const restored = await fillAndSwap(request, names, { like, note, hasLive: found.hasLive }).catch(
    (error) => {
      // Without space for its own log PostgreSQL stops, and only its last client gets the reason.
      throw isShort && error instanceof Failure && !request.signal?.aborted ? noSpace(request, error) : error;
    },
  );
  await dropReplacedAtLast(request, names);
  return {
    database: names.live,
    revisions: restored.revisions,
    rows: restored.rows,
    dropped: describeDropped(lost?.rows ?? {}, restored.rows),
  };
}

interface Swap {
  /** The database whose properties the fresh one gets. */
  like: string;
  note: string;
  hasLive: boolean;
}

async function fillAndSwap(
  request: RestoreRequest,
  names: DatabaseNames,
  { like, note, hasLive }: Swap,
): Promise<DatabaseFacts> {
  const { dump, deadlineMs = usualDeadlineMs } = request;
  try {
    await createFresh(request, names, like);
    await fillFresh(request, names, { dump, note, deadlineMs });
    const restored = await readFacts(request, names.fresh);
    await swapAtLast(request, names, note, hasLive);
    return restored;
  } catch (error) {
    // The fresh database only takes space. If it cannot be dropped now, the next restore drops it.
    await dropFresh({ ...request, signal: undefined }, names).catch(() => {});
    throw error;
  }
}

/** A run that was killed after its swap has left the replaced database: then the live one is already restored. */
async function readLost(
  request: RestoreRequest,
  names: DatabaseNames,
  found: Presence,
  note: string,
): Promise<DatabaseFacts | undefined> {
  if (found.note === note) return await readFacts(request, names.replaced);
  return found.hasLive ? await readFacts(request, names.live) : undefined;
}

function cannotRestore({ service, dump }: RestoreRequest, error: unknown, signal?: AbortSignal): unknown {
  if (error instanceof Failure && !(error instanceof CommandFailure)) return error;
  const isOurBug = !(error instanceof CommandFailure) && !signal?.aborted;
  if (isOurBug) return error;
  const reason = signal?.aborted ? 'the program was stopped' : databaseReasonOf(error);
  if (/no space left/i.test(reason)) return noSpace({ service, dump }, error);
  return new Failure(`Cannot restore the database of "${service}" from "${dump}": ${reason}`, {
    advice: 'Restore again: the live data is complete',
    cause: error,
  });
}

function noSpace({ service, dump }: Pick<RestoreRequest, 'service' | 'dump'>, error: unknown): Failure {
  const reason = databaseReasonOf(error);
  return new Failure(`Cannot restore the database of "${service}" from "${dump}": ${reason}`, {
    outcome: 'noSpace',
    advice: 'Free space on its volume and restore again: the live data is complete',
    cause: error,
  });
}
