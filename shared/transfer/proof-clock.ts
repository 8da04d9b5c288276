/** Of the fastest so much is left at the next proof: waiting for the disk is no slow line. */
const forgetting = 0.9;

/** How fast bytes come, from one proof to the next. */
export class ProofClock {
  #bytesPerSecond = 0;
  #last: { bytes: number; ms: number } = { bytes: 0, ms: performance.now() };

  /** 0 before the second. */
  get bytesPerSecond(): number {
    return this.#bytesPerSecond;
  }

  proves(bytes: number): void {
    const ms = performance.now();
    const { bytes: before, ms: since } = this.#last;
    // After a new beginning it counts from there.
    const now = ms > since ? (Math.max(0, bytes - before) / (ms - since)) * 1000 : 0;
    this.#bytesPerSecond = Math.max(now, this.#bytesPerSecond * forgetting);
    this.#last = { bytes, ms };
  }
}
