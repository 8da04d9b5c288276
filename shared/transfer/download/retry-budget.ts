import { pause } from '../../system/deadline.ts';
import type { Failure } from '../../system/failure.ts';
import type { Log } from '../../system/terminal/log.ts';
import { backoffMs } from '../request/backoff.ts';
import { fetchFailure } from '../request/fetch-failure.ts';

/** A server that asks for a longer wait is asked again by the next run: the lock must not be held for so long. */
const longestWaitMs = 120_000;
/** Failed tries are reported from this one in a row on; single breaks are not. */
const toldFrom = 3;

export interface PatienceOptions {
  url: string;
  /** Tries in a row without progress. */
  tries: number;
  log: Log;
  /** Whether bytes are on the disk that the next run can resume from. */
  isResumable?: (() => boolean) | undefined;
  signal: AbortSignal;
}

/** How often a request is tried again, and how long to wait before. Any progress resets the count. */
export class RetryBudget {
  readonly #options: PatienceOptions;
  #vain = 0;

  constructor(options: PatienceOptions) {
    this.#options = options;
  }

  gained(): void {
    this.#vain = 0;
  }

  /**
   * Waits before the next try. Throws a Failure with `tryLater` after too many tries, or if the server asks for too
   * long a wait.
   */
  async wait(reason: string, askedMs = 0): Promise<void> {
    const { tries, log, signal } = this.#options;
    this.#vain += 1;
    if (this.#vain >= tries) throw this.#giveUp(`${reason} (tried ${this.#vain} times in a row)`);
    if (askedMs > longestWaitMs)
      throw this.#giveUp(`${reason}, and asks to try again in ${Math.ceil(askedMs / 60_000)} minutes`);
    const ms = Math.max(askedMs, backoffMs(this.#vain - 1, Math.random()));
    if (this.#vain >= toldFrom || askedMs > 0)
      log.warn(`Fetching again in ${Math.ceil(ms / 1000)} s: ${reason}`);
    await pause(ms, signal);
  }

  #giveUp(reason: string): Failure {
    const { url, isResumable } = this.#options;
    if (!isResumable?.()) return fetchFailure(url, reason);
    const advice = 'The bytes downloaded so far are kept; the next try resumes there';
    return fetchFailure(url, reason, { advice });
  }
}
