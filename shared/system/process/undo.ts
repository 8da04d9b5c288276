import { Failure } from '../failure.ts';

/** One thing to undo. `now()` does it early; `drop()` takes it off the stack. */
export interface Undo {
  now(): Promise<void>;
  drop(): void;
}

/** Gets the reason why the program ends; undefined if it ends normally, or if the work is done early. */
export type Work = (reason: unknown) => Promise<void> | void;

interface Owed {
  what: string;
  work: Work;
  /** How long it may take, if that is longer than usual. */
  longestMs?: number | undefined;
  /** Set while it is done early: other callers wait for it. */
  early?: Promise<void> | undefined;
}

/** The work that a program owes the device before it ends: done in reverse order on every exit, each once. */
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
   * Does all that is owed, even if some of it fails; each failure is passed to `onFailure`. Work that does not end
   * within `eachMs`, or within its own time, is a failure. `reason` is why the program ends, undefined if it ends
   * normally.
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

/** Work that is being done early is not started a second time, unless the early attempt fails. */
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
