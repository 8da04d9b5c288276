import { Failure, reasonOf } from '../system/failure.ts';
import { CommandFailure, seconds } from '../system/process/command.ts';
import type { Log } from '../system/terminal/log.ts';
import { beginProgress, judgeProgress, type Pace, type Sight, seeProgress } from './migrations-progress.ts';
import { parseCurrent, parseHeads, type Revisions } from './migrations-revisions.ts';
import { type MigrationContainers, runAlembic } from './migrations-run.ts';

export interface MigrationService {
  containers: MigrationContainers;
  /** The service whose image carries alembic. */
  service: string;
  signal?: AbortSignal | undefined;
}

export interface MigrationRequest extends MigrationService, Pace {
  log: Log;
  /** The revisions that alembic has recorded so far. If this throws, only printed lines are progress. */
  readNoted: () => Promise<readonly string[]>;
  /**
   * Ends all sessions in the database: PostgreSQL continues a statement whose client was killed, and its locks would
   * block the next migration. Called before a migration, and after a failure.
   */
  endSessions?: () => Promise<void>;
  /** Milliseconds between two checks of the progress. */
  lookEveryMs?: number;
}

const askMs = 180_000;
const usualLookEveryMs = 2_000;

export async function readRevisions(request: MigrationService): Promise<Revisions> {
  try {
    const current = parseCurrent((await runAlembic(request, ['current'], { deadlineMs: askMs })).stdout);
    const heads = parseHeads((await runAlembic(request, ['heads'], { deadlineMs: askMs })).stdout);
    return { current, heads };
  } catch (error) {
    throw failureOf('read the revisions of', request, error);
  }
}

/**
 * Migrates the database to the image's head. An abandoned migration leaves no container behind. Throws a Failure with
 * alembic's last line.
 */
export async function migrate(request: MigrationRequest): Promise<void> {
  const { log, service, lookEveryMs = usualLookEveryMs, longestMs, deadlineMs, signal } = request;
  const giveUp = new AbortController();
  const watched = signal === undefined ? giveUp.signal : AbortSignal.any([signal, giveUp.signal]);
  await endSessionsFor(request);
  let sight: Sight = { lines: 0, revisions: await notedBy(request, '') };
  let seen = beginProgress(sight, performance.now());
  let gaveUp: string | undefined;
  let asking: Promise<void> | undefined;

  const ask = async (): Promise<void> => {
    const revisions = await notedBy(request, sight.revisions);
    if (revisions !== sight.revisions) log.info(`Migrated the database to ${revisions}`);
    sight = { ...sight, revisions };
    asking = undefined;
  };
  const look = (): void => {
    seen = seeProgress(seen, sight, performance.now());
    const verdict = judgeProgress(seen, request, performance.now());
    if (verdict === 'stalled') gaveUp ??= `it made no progress for ${seconds(deadlineMs)}`;
    if (verdict === 'too long') gaveUp ??= `it did not end within ${seconds(longestMs)}`;
    if (gaveUp === undefined) asking ??= ask();
    else giveUp.abort();
  };
  const looking = setInterval(look, lookEveryMs);
  const onLine = (line: string): void => {
    sight = { ...sight, lines: sight.lines + 1 };
    if (line.trim() !== '') log.info(line.trim());
  };
  try {
    const limits = { deadlineMs: longestMs * 2, onLine };
    await runAlembic({ ...request, signal: watched }, ['upgrade', 'head'], limits);
  } catch (error) {
    await endSessionsFor(request);
    const known = gaveUp ?? (signal?.aborted ? 'the program was stopped' : undefined);
    throw failureOf('migrate', request, error, known);
  } finally {
    clearInterval(looking);
    await asking;
  }
  log.info(`Migrated the database with "${service}"`);
}

/**
 * Errors are ignored: if the database does not answer, alembic reports it better, and after a failure the first one
 * is reported.
 */
async function endSessionsFor({ endSessions }: MigrationRequest): Promise<void> {
  await endSessions?.().catch(() => {});
}

async function notedBy({ readNoted }: MigrationRequest, otherwise: string): Promise<string> {
  try {
    return (await readNoted()).join(', ');
  } catch {
    return otherwise;
  }
}

function failureOf(verb: string, { service }: MigrationService, error: unknown, known?: string): unknown {
  if (!(error instanceof CommandFailure)) return error;
  const reason = known ?? reasonOf(error);
  return new Failure(`Cannot ${verb} the database with "${service}": ${reason}`, {
    advice: 'See the lines of alembic above',
    cause: error,
  });
}
