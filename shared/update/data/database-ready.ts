import { askDatabase } from '../../data/database/database.ts';
import type { Container } from '../../stack/container.ts';
import { Deadline, pause } from '../../system/deadline.ts';
import { Failure, reasonOf } from '../../system/failure.ts';
import type { Stack } from './stack.ts';

/** A database that recovers from a power cut takes its time; one that cannot start never answers. */

const readyMs = 180_000;
const askPauseMs = 500;
const watchEveryMs = 3_000;
/** Docker waits twice as long before each restart, up to a minute: so many take half a minute, and as long is enough. */
const mostRestarts = 8;
const restartingMs = 30_000;

/** Its container at a moment, of the clock that only runs forward. */
type Look = Pick<Container, 'state' | 'restartCount'> & { atMs: number };

/**
 * Whether its container ends again and again, so that nobody has to wait for it: what passes by itself passes within
 * half a minute. Where Docker has come to long pauses already it restarts once in that time, or not at all.
 */
export function endsAgainAndAgain(first: Look, now: Look): boolean {
  const restarts = now.restartCount - first.restartCount;
  if (restarts >= mostRestarts) return true;
  const isPausing = now.state === 'restarting';
  const isLong = now.atMs - first.atMs >= restartingMs;
  return isLong && isPausing && (restarts > 0 || first.state === 'restarting');
}

/** Returns when it answers a query. Throws a Failure at the deadline, or when its container ends again and again. */
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

/** In the database's own words: it alone knows that its disk is full, or its files damaged. */
async function inItsWords({ compose }: Stack, service: string): Promise<Failure> {
  const log = await compose.logTail(service).catch(() => '');
  const lines = log
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  // Of a full disk it tells first, and ends with what came of it.
  const full = lines.findLast((line) => /no space left/i.test(line));
  const words = full ?? lines.findLast((line) => /\b(FATAL|PANIC|ERROR|error)\b/.test(line)) ?? lines.at(-1);
  return new Failure(
    `Cannot reach the database: its container ends again and again${words === undefined ? '' : ` (${words})`}`,
    full !== undefined ? { outcome: 'noSpace', advice: 'Free space on the data partition' } : {},
  );
}
