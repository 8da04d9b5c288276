/** A server that sends less per second, over the allowed time, only keeps the connection open. */
const leastBytesPerSecond = 1024;

/** The connection is open, but almost nothing arrives. */
export class Stalled extends Error {
  override readonly name = 'Stalled';
}

/**
 * Watches waiting times: if less than 1 KiB per second has arrived in `stallMs` of waiting, the wait ends with
 * Stalled. Time that we spend otherwise (writing, keeping a rate limit) does not count.
 */
export class StallWatch {
  readonly #stallMs: number;
  #waitedMs = 0;
  #bytes = 0;

  constructor(stallMs: number) {
    this.#stallMs = stallMs;
  }

  /** Waits for the next bytes; `giveUp` is called to end the wait. */
  async wait<T>(
    work: () => Promise<T>,
    giveUp: (reason: Stalled) => void,
    bytesOf: (result: T) => number,
  ): Promise<T> {
    const startedMs = performance.now();
    const stalled = new Stalled(`less than 1 KiB/s came for ${Math.round(this.#stallMs / 1000)} s`);
    const timer = setTimeout(() => giveUp(stalled), this.#stallMs - this.#waitedMs);
    try {
      const result = await work();
      this.#waitedMs += performance.now() - startedMs;
      this.#bytes += bytesOf(result);
      this.#judge(stalled);
      return result;
    } finally {
      clearTimeout(timer);
    }
  }

  /** When enough bytes have arrived, the time starts again. */
  #judge(stalled: Stalled): void {
    if (this.#bytes >= (leastBytesPerSecond * this.#stallMs) / 1000) {
      this.#waitedMs = 0;
      this.#bytes = 0;
    } else if (this.#waitedMs >= this.#stallMs) throw stalled;
  }
}
