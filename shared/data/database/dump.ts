import { errorCodeOf, Failure } from '../../system/failure.ts';
import { cannotTrust, checkSaved } from '../../system/files/checksum.ts';
import { freeBytesOn } from '../../system/files/disk.ts';
import { CommandFailure } from '../../system/process/command.ts';
import { type Database, databaseReasonOf, endLeftovers, readDatabaseName, runTool } from './database.ts';
import { type DatabaseFacts, namesFor, readFacts } from './database-facts.ts';
import { beginPart, commitPart, discardPart, type SavedFile } from './dump-file.ts';
import { whileItGrows } from './dump-growth.ts';

export interface DumpRequest extends Database {
  /** The dump's path on the host; `<target>.sha256` is put beside it. */
  target: string;
  /** How long nothing may be written before the dump is abandoned. */
  stallMs?: number;
  deadlineMs?: number;
}

export interface DumpReport extends SavedFile {
  /** The revisions that alembic had recorded. */
  revisions: string[];
  rows: DatabaseFacts['rows'];
  /** The size of the database itself: a restore needs about as much room beside it. */
  databaseBytes: number;
}

const usualStallMs = 60_000;
const usualDeadlineMs = 3_600_000;
const cleanUpMs = 15_000;
/** With less than this a disk counts as full, even if the tool's message about it is lost. */
const fullBytes = 64 * 1024;

/**
 * Dumps the stack's database into a file that `pg_restore` reads; no other program may work in the database
 * meanwhile. The dump is there whole, read through once and with its checksum, or not at all. Throws a Failure.
 */
export async function dumpDatabase(request: DumpRequest): Promise<DumpReport> {
  const { target, signal, service } = request;
  try {
    await endLeftovers(request);
    namesFor(await readDatabaseName(request));
    const facts = await readFacts(request);
    const saved = await writeDump(request);
    return { ...saved, revisions: facts.revisions, rows: facts.rows, databaseBytes: facts.bytes };
  } catch (error) {
    throw cannotDump(service, target, error, signal);
  }
}

async function writeDump(request: DumpRequest): Promise<SavedFile> {
  const { target, signal, service, stallMs = usualStallMs, deadlineMs = usualDeadlineMs } = request;
  try {
    const part = beginPart(target);
    const what = `dump the database of "${service}"`;
    await whileItGrows({ what, file: part, stallMs, signal }, (ownSignal) =>
      runTool(request, ['pg_dump', '--format=custom'], { deadlineMs, signal: ownSignal, stdoutTo: part }),
    );
    await readThrough(request, part, deadlineMs);
    return await commitPart(target, signal);
  } catch (error) {
    const failure = cannotDump(service, target, error, signal);
    discardPart(target);
    // The abandoned pg_dump still runs in the container, and would block a migration. If the container is gone, so is pg_dump.
    await endLeftovers({ ...request, signal: undefined }, cleanUpMs).catch(() => {});
    throw failure;
  }
}

/** Throws a Failure unless the dump has the checksum beside it and PostgreSQL can read it to its end. */
export async function verifyDump(
  request: Database & { path: string; deadlineMs?: number },
): Promise<{ sha256: string }> {
  const { path, signal, deadlineMs = usualDeadlineMs } = request;
  const sha256 = await checkSaved(path, signal);
  try {
    await readThrough(request, path, deadlineMs);
  } catch (error) {
    throw cannotTrust(path, signal?.aborted ? 'the program was stopped' : databaseReasonOf(error), error);
  }
  return { sha256 };
}

/** `pg_restore --list` reads no further than the list at the beginning: it would accept a truncated dump. */
async function readThrough(database: Database, path: string, deadlineMs: number): Promise<void> {
  await runTool(database, ['pg_restore', '--file=/dev/null'], { deadlineMs, stdinFrom: path });
}

function cannotDump(service: string, target: string, error: unknown, signal?: AbortSignal): unknown {
  if (error instanceof Failure && !(error instanceof CommandFailure)) return error;
  if (isFull(error, target))
    return new Failure(`Cannot write the backup "${target}": no space left on the device`, {
      outcome: 'noSpace',
      advice: 'Free space there and try again',
      cause: error,
    });
  // An error of neither a program nor the system is a bug of ours, and is returned unchanged.
  if (!(error instanceof CommandFailure) && errorCodeOf(error) === undefined) return error;
  const reason = signal?.aborted ? 'the program was stopped' : databaseReasonOf(error);
  return new Failure(`Cannot dump the database of "${service}": ${reason}`, {
    advice: `See what "${service}" says in its log`,
    cause: error,
  });
}

function isFull(error: unknown, target: string): boolean {
  if (errorCodeOf(error) === 'ENOSPC' || errorCodeOf(error) === 'EDQUOT') return true;
  if (!(error instanceof CommandFailure)) return false;
  return /no space left|quota exceeded/i.test(error.stderr) || freeBytesOn(target) < fullBytes;
}
