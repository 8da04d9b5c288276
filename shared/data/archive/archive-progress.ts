import { Failure } from '../../system/failure.ts';
import { seconds } from '../../system/process/command.ts';

/**
 * Watches work that may stop without an error: archiver's streams can wait for each other for ever. It fails once:
 * after `stallMs` without progress, when the signal is aborted, or with the first error that `fail` gets.
 */
export class Progress {
  readonly #signal: AbortSignal | undefined;
  readonly #onAbort: () => void;
  readonly #timer: NodeJS.Timeout;
  /** A set of callbacks, not one promise for Promise.race(): each of a hundred thousand races would stay in memory with it. */
  readonly #waiting = new Set<(error: unknown) => void>();
  #failure: { error: unknown } | undefined;
  #movedAtMs = performance.now();

  constructor(what: string, stallMs: number, signal: AbortSignal | undefined) {
    this.#signal = signal;
    this.#onAbort = () =>
      this.fail(new Failure(`Cannot ${what}: the program was stopped`, { cause: signal?.reason }));
    if (signal?.aborted) this.#onAbort();
    signal?.addEventListener('abort', this.#onAbort, { once: true });
    const look = (): void => {
      if (performance.now() - this.#movedAtMs < stallMs) return;
      const advice = 'Check the disks and try again';
      this.fail(new Failure(`Cannot ${what}: no progress for ${seconds(stallMs)}`, { advice }));
    };
    this.#timer = setInterval(look, Math.min(1_000, stallMs / 4));
  }

  readonly moved = (): void => {
    this.#movedAtMs = performance.now();
  };

  readonly fail = (error: unknown): void => {
    this.#failure ??= { error };
    for (const reject of this.#waiting) reject(this.#failure.error);
    this.#waiting.clear();
  };

  /** Waits for the work, or throws the failure if that comes first. */
  orFailure<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#waiting.add(reject);
      work.then(resolve, reject).finally(() => this.#waiting.delete(reject));
      if (this.#failure !== undefined) reject(this.#failure.error);
    });
  }

  end(): void {
    clearInterval(this.#timer);
    this.#signal?.removeEventListener('abort', this.#onAbort);
  }
}

/**
 * Waits for work before the clean-up after a failure, for at most a second, and returns whether it has ended: a call
 * that hangs in the kernel must not hold back the failure.
 */
export async function isOverSoon(work: Promise<unknown>): Promise<boolean> {
  const over = work.then(
    () => true,
    () => true,
  );
  const { promise: late, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => resolve(false), 1_000);
  try {
    return await Promise.race([over, late]);
  } finally {
    clearTimeout(timer);
  }
}
