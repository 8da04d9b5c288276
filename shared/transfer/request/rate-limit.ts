import { Deadline, pause } from '../../system/deadline.ts';

/** Keeps an average rate: after bytes that came too early it waits before the next are read, so the sender waits too. */
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
