import { realMsOf, steadyMs } from './steady-clock.ts';

/** A moment `ms` milliseconds from now, by a clock that date changes do not affect. */
export class Deadline {
  readonly #end: number;

  constructor(ms: number) {
    this.#end = steadyMs() + ms;
  }

  get leftMs(): number {
    return Math.max(0, this.#end - steadyMs());
  }

  get isOver(): boolean {
    return this.leftMs === 0;
  }
}

/** Waits, and throws the signal's reason as soon as it is aborted. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const onAbort = (): void => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    }, realMsOf(ms));
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}
