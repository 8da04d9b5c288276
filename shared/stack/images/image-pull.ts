import { type Deadline, pause } from '../../system/deadline.ts';
import { Failure } from '../../system/failure.ts';
import { CommandFailure, command, seconds } from '../../system/process/command.ts';
import type { Log } from '../../system/terminal/log.ts';
import { type Patience, type PullTrouble, pauseBeforeMs, readPullTrouble, timesIn } from './pull-trouble.ts';

export interface PullOptions {
  /** For all images together. */
  deadline: Deadline;
  log: Log;
  signal: AbortSignal;
  patience?: Patience;
}

const usualPatience: Patience = { firstPauseMs: 1_000, longestPauseMs: 60_000 };
const shortestAttemptMs = 30_000;

/**
 * Pulls one image, and tries again as long as that can help and time is left. Throws a Failure with image and reason:
 * `tryLater` if a later pull may work, `noSpace`, else `failed`.
 */
export async function pullImage(image: string, options: PullOptions): Promise<void> {
  const { deadline, log, signal, patience = usualPatience } = options;
  const startedMs = performance.now();
  let last: PullTrouble | undefined;
  for (let attempt = 1; ; attempt += 1) {
    try {
      await command({ deadlineMs: attemptMs(deadline.leftMs), signal })`docker pull ${image}`;
      return;
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof CommandFailure)) throw error;
      // A pull that was ended at its deadline explains less than docker's message before.
      const trouble: PullTrouble =
        (error.exitCode === undefined ? last : undefined) ?? readPullTrouble(error);
      last = trouble;
      const pauseMs = pauseBeforeMs(attempt, trouble, patience, Math.random());
      if (!trouble.heals || pauseMs >= deadline.leftMs) {
        const times = timesIn(attempt, performance.now() - startedMs);
        throw new Failure(`Cannot pull image "${image}": ${trouble.reason}${times}`, {
          outcome: trouble.outcome,
          cause: trouble.words || error,
        });
      }
      log.info(`Cannot pull image "${image}" yet: ${trouble.reason}; trying again in ${seconds(pauseMs)}`);
      await pause(pauseMs, signal);
    }
  }
}

/**
 * Docker waits for ever on a connection that died silently: an attempt gets half of the time left, so that another
 * can follow.
 */
function attemptMs(leftMs: number): number {
  return Math.max(1, Math.min(leftMs, Math.max(leftMs / 2, shortestAttemptMs)));
}
