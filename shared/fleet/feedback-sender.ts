import { reasonOf } from '../system/failure.ts';
import type { Log } from '../system/terminal/log.ts';
import { type DdiLine, DdiRefusal } from '../transfer/request/ddi-line.ts';
import type { Feedback } from './feedback.ts';

/** Percents come many times a second, and the server stores each report. */
const percentsBetween = 20;

/** Reports the progress of an action to the server, in order, without delaying the work. */
export class FeedbackSender {
  readonly #line: DdiLine;
  readonly #log: Log;
  readonly #signal: AbortSignal;
  #last: Promise<void> = Promise.resolve();
  #toldPercent = -percentsBetween;

  constructor(line: DdiLine, log: Log, signal: AbortSignal) {
    this.#line = line;
    this.#log = log;
    this.#signal = signal;
  }

  /** Sends a report soon; if that fails, it is only logged. */
  tell(feedback: Feedback): void {
    this.#last = this.#last.then(async () => {
      try {
        await this.#post(feedback);
      } catch (error) {
        if (!this.#signal.aborted) this.#log.warn(`Cannot report to the fleet's server: ${reasonOf(error)}`);
      }
    });
  }

  /** Sends a report on the percents of one phase, unless the last one is too near. */
  tellPercent(percent: number, make: () => Feedback): void {
    if (percent < this.#toldPercent) this.#toldPercent = -percentsBetween;
    if (percent < this.#toldPercent + percentsBetween) return;
    this.#toldPercent = percent;
    this.tell(make());
  }

  /** To be called at the beginning of a phase. */
  beginPercents(): void {
    this.#toldPercent = -percentsBetween;
  }

  /** Sends a report now; throws where that fails. An action that the server has closed or forgotten itself needs no report. */
  async tellNow(feedback: Feedback): Promise<void> {
    await this.settled();
    try {
      await this.#post(feedback);
    } catch (error) {
      if (!(error instanceof DdiRefusal) || (error.status !== 404 && error.status !== 410)) throw error;
      this.#log.info(`The fleet's server has closed action ${feedback.id} itself (${error.status})`);
    }
  }

  async settled(): Promise<void> {
    await this.#last;
  }

  async #post(feedback: Feedback): Promise<void> {
    const href = `${this.#line.server.base}/deploymentBase/${encodeURIComponent(feedback.id)}/feedback`;
    await this.#line.send('POST', href, feedback);
  }
}
