import { askDatabase } from '../data/database.ts';
import { Deadline, pause } from '../system/deadline.ts';
import { Failure, reasonOf } from '../system/failure.ts';
import type { Stack } from './stack.ts';

/** A database that recovers from a power cut takes its time; one that cannot start never answers. */

const readyMs = 180_000;
const askPauseMs = 500;
const watchEveryMs = 3_000;
/** Docker waits twice as long before each: so many take half a minute, and what passes by itself has passed. */
const mostRestarts = 8;

/** Returns when it answers a query. Throws a Failure at the deadline, or when its container ends again and again. */
export async function waitForDatabase(stack: Stack, signal: AbortSignal): Promise<void> {
  const { database } = stack;
  if (database === undefined) return;
  const deadline = new Deadline(readyMs);
  let watch = new Deadline(watchEveryMs);
  let restartsBefore: number | undefined;
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
      const restarts = await countRestarts(stack, database.service);
      restartsBefore ??= restarts;
      if (restarts >= restartsBefore + mostRestarts) throw await endsAgainAndAgain(stack, database.service);
      watch = new Deadline(watchEveryMs);
    }
    await pause(askPauseMs, signal);
  }
}

async function countRestarts({ compose }: Stack, service: string): Promise<number> {
  const containers = await compose.containers().catch(() => []);
  return Math.max(
    0,
    ...containers.filter((one) => one.service === service).map(({ restartCount }) => restartCount),
  );
}

/** In the database's own words: it alone knows that its disk is full, or its files damaged. */
async function endsAgainAndAgain({ compose }: Stack, service: string): Promise<Failure> {
  const log = await compose.logTail(service).catch(() => '');
  const lines = log
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const words = lines.findLast((line) => /\b(FATAL|PANIC|ERROR|error)\b/.test(line)) ?? lines.at(-1);
  return new Failure(
    `Cannot reach the database: its container ends again and again${words === undefined ? '' : ` (${words})`}`,
  );
}
