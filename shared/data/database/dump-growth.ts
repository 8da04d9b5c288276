import { statSync } from 'node:fs';
import { Progress } from '../archive/archive-progress.ts';

const lookEveryMs = 250;

/**
 * Runs the work as long as the file grows: without growth for `stallMs` it aborts the work's signal and throws a
 * Failure that says so. Ends only after the work has ended.
 */
export async function whileItGrows<T>(
  {
    what,
    file,
    stallMs,
    signal,
  }: { what: string; file: string; stallMs: number; signal?: AbortSignal | undefined },
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const progress = new Progress(what, stallMs, signal);
  const giveUp = new AbortController();
  let bytes = 0;
  const look = setInterval(
    () => {
      const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
      if (size !== bytes) progress.moved();
      bytes = size;
    },
    Math.min(lookEveryMs, stallMs / 4),
  );
  const working = work(giveUp.signal);
  try {
    return await progress.orFailure(working);
  } catch (error) {
    giveUp.abort();
    await working.catch(() => {});
    throw error;
  } finally {
    clearInterval(look);
    progress.end();
  }
}
