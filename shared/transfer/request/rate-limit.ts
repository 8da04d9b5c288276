import { Deadline, pause } from '../../system/deadline.ts';

/** Keeps an average: what came too early is waited off before the next is read, and the sender waits with us. */
export class RateLimit {
  readonly #bytesPerSecond: number | undefined;
  #until = new Deadline(0);

  constructor(bytesPerSecond: number | undefined) {
    this.#bytesPerSecond = bytesPerSecond;
  }

  async took(bytes: number, signal: AbortSignal): Promise<void> {
    if (this.#bytesPerSecond === undefined) return;
    const dueMs = (bytes / this.#bytesPerSecond) * 1000;
    this.#until = new Deadline(this.#until.leftMs + dueMs);
    // Shorter waits would be mostly the timer's own inaccuracy.
    if (this.#until.leftMs > 20) await pause(this.#until.leftMs, signal);
  }
}
