import { pause } from '../../system/deadline.ts';
import type { Failure } from '../../system/failure.ts';
import type { Log } from '../../system/terminal/log.ts';
import { backoffMs } from '../request/backoff.ts';
import { fetchFailure } from '../request/fetch-failure.ts';

/** A server that asks for more is asked again by the next run: nobody holds the lock for so long. */
const longestWaitMs = 120_000;
/** Of the tries in vain: a line that breaks all the time is not told all the time. */
const toldFrom = 3;

export interface PatienceOptions {
  url: string;
  /** In a row, with nothing gained. */
  tries: number;
  log: Log;
  signal: AbortSignal;
}

/** How often it is tried again, and how long is waited before. Whatever has been gained, it starts from the beginning. */
export class Patience {
  readonly #options: PatienceOptions;
  #vain = 0;

  constructor(options: PatienceOptions) {
    this.#options = options;
  }

  gained(): void {
    this.#vain = 0;
  }

  /** Waits before the next try. Throws a Failure to try later where there have been enough, or the wait is too long. */
  async wait(reason: string, askedMs = 0): Promise<void> {
    const { tries, log, signal } = this.#options;
    this.#vain += 1;
    if (this.#vain >= tries) throw this.#giveUp(`${reason} (tried ${this.#vain} times in a row)`);
    if (askedMs > longestWaitMs)
      throw this.#giveUp(`${reason}, and asks to come again in ${Math.ceil(askedMs / 60_000)} minutes`);
    const ms = Math.max(askedMs, backoffMs(this.#vain - 1, Math.random()));
    if (this.#vain >= toldFrom || askedMs > 0)
      log.warn(`Fetching again in ${Math.ceil(ms / 1000)} s: ${reason}`);
    await pause(ms, signal);
  }

  #giveUp(reason: string): Failure {
    const advice = 'What has come is kept; the next try goes on from there';
    return fetchFailure(this.#options.url, reason, { advice });
  }
}
