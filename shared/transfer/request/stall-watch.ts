/** Less than this a second, over the time that is allowed, is a server that only holds the line. */
const leastBytesPerSecond = 1024;

/** The line is up, and nothing that is worth waiting for comes. */
export class Stalled extends Error {
  override readonly name = 'Stalled';
}

/**
 * Watches what is waited for: where in `stallMs` of waiting less than 1 KiB a second has come, the wait ends with
 * Stalled. Time that we spend otherwise (writing, keeping to a rate) does not count.
 */
export class StallWatch {
  readonly #stallMs: number;
  #waitedMs = 0;
  #bytes = 0;

  constructor(stallMs: number) {
    this.#stallMs = stallMs;
  }

  /** Waits for the next; `giveUp` ends it. */
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

  /** Enough has come: the time begins anew. */
  #judge(stalled: Stalled): void {
    if (this.#bytes >= (leastBytesPerSecond * this.#stallMs) / 1000) {
      this.#waitedMs = 0;
      this.#bytes = 0;
    } else if (this.#waitedMs >= this.#stallMs) throw stalled;
  }
}
