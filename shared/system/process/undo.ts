import { Failure } from '../failure.ts';

/** One thing to put right again. `now()` does it early; `drop()` says that it is no longer owed. */
export interface Undo {
  now(): Promise<void>;
  drop(): void;
}

/** Told why the program ends; undefined where it is simply done. */
export type Work = (reason: unknown) => Promise<void> | void;

interface Owed {
  what: string;
  work: Work;
  /** How long it may take, where that is longer than usual. */
  longestMs?: number | undefined;
  /** Being done early: whoever comes meanwhile waits for that. */
  early?: Promise<void> | undefined;
}

/** What a program owes the device: done in reverse order on every way out, each once. */
export class UndoStack {
  readonly #owed: Owed[] = [];

  owe(what: string, work: Work, longestMs?: number): Undo {
    const entry: Owed = { what, work, longestMs };
    this.#owed.push(entry);
    const drop = (): void => {
      const index = this.#owed.indexOf(entry);
      if (index >= 0) this.#owed.splice(index, 1);
    };
    const doEarly = async (): Promise<void> => {
      try {
        await Promise.try(work, undefined);
        drop();
      } finally {
        entry.early = undefined;
      }
    };
    return {
      drop,
      now: async () => {
        if (entry.early === undefined && !this.#owed.includes(entry)) return;
        entry.early ??= doEarly();
        await entry.early;
      },
    };
  }

  /**
   * Does all that is owed, whatever fails on the way; failures are handed to `onFailure`, one by one, and what does
   * not end within `eachMs`, or its own time, is one. `reason` is why the program ends, undefined where it is simply done.
   */
  async unwind(
    reason: unknown,
    onFailure: (what: string, error: unknown) => void,
    eachMs: number,
  ): Promise<void> {
    for (let entry = this.#owed.pop(); entry !== undefined; entry = this.#owed.pop()) {
      try {
        await within(entry.longestMs ?? eachMs, settle(entry, reason));
      } catch (error) {
        onFailure(entry.what, error);
      }
    }
  }
}

/** What is being done early is not begun a second time beside it; where that fails, it is. */
async function settle({ early, work }: Owed, reason: unknown): Promise<void> {
  if (early === undefined) return await work(reason);
  await early.catch(() => work(reason));
}

async function within(ms: number, work: Promise<void>): Promise<void> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Failure(`it did not end within ${Math.ceil(ms / 1000)} s`)), ms);
  try {
    await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}
