import { askDatabase } from '../../data/database/database.ts';
import type { Container } from '../../stack/container.ts';
import { Deadline, pause } from '../../system/deadline.ts';
import { Failure, reasonOf } from '../../system/failure.ts';
import type { Stack } from './stack.ts';

/** Waits for the database. After a power cut it needs time to recover; a database that cannot start never answers. */

const readyMs = 180_000;
const askPauseMs = 500;
const watchEveryMs = 3_000;
/** Docker doubles its pause before each restart, up to a minute: so many restarts take half a minute, which is long enough. */
const mostRestarts = 8;
const restartingMs = 30_000;

/** The database's container at one moment; `atMs` is from a clock that only runs forward. */
type Look = Pick<Container, 'state' | 'restartCount'> & { atMs: number };

/**
 * Whether the database's container ends again and again, so that waiting is useless: a temporary problem is over within half a
 * minute. When Docker's pauses are already long, the container restarts once in that time, or not at all.
 */
export function endsAgainAndAgain(first: Look, now: Look): boolean {
  const restarts = now.restartCount - first.restartCount;
  if (restarts >= mostRestarts) return true;
  const isPausing = now.state === 'restarting';
  const isLong = now.atMs - first.atMs >= restartingMs;
  return isLong && isPausing && (restarts > 0 || first.state === 'restarting');
}

/** Returns when the database answers a query. Throws a Failure at the deadline, or when its container ends again and again. */
export async function waitForDatabase(stack: Stack, signal: AbortSignal): Promise<void> {
  const { database } = stack;
  if (database === undefined) return;
  const deadline = new Deadline(readyMs);
  let watch = new Deadline(watchEveryMs);
  let first: Look | undefined;
  for (;;) {
    try {
      await askDatabase(database, { script: 'SELECT 1;' });
      return;
    } catch (error) {
      signal.throwIfAborted();
      if (deadline.isOver)
        throw new Failure(`Cannot reach the database: ${reasonOf(error)}`, { cause: error });
    }
    if (watch.isOver) {
      const look = await lookAt(stack, database.service);
      first ??= look;
      if (first && look && endsAgainAndAgain(first, look)) throw await inItsWords(stack, database.service);
      watch = new Deadline(watchEveryMs);
    }
    await pause(askPauseMs, signal);
  }
}

async function lookAt({ compose }: Stack, service: string): Promise<Look | undefined> {
  const containers = await compose.containers().catch(() => []);
  const container = containers.find((one) => one.service === service);
  return container && { ...container, atMs: performance.now() };
}

/** The failure in the database's own words: only its log says that its disk is full, or its files damaged. */
async function inItsWords({ compose }: Stack, service: string): Promise<Failure> {
  const log = await compose.logTail(service).catch(() => '');
  const lines = log
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  // The database reports a full disk first; its last lines are only about the consequences.
  const full = lines.findLast((line) => /no space left/i.test(line));
  const words = full ?? lines.findLast((line) => /\b(FATAL|PANIC|ERROR|error)\b/.test(line)) ?? lines.at(-1);
  return new Failure(
    `Cannot reach the database: its container ends again and again${words === undefined ? '' : ` (${words})`}`,
    full !== undefined ? { outcome: 'noSpace', advice: 'Free space on the data partition' } : {},
  );
}
