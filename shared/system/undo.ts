/** One thing to put right again. `now()` does it early; `drop()` says that it is no longer owed. */
export interface Undo {
  now(): Promise<void>;
  drop(): void;
}

/** What a program owes the device: done in reverse order on every way out, each once. */
export class UndoStack {
  readonly #owed: { what: string; work: () => Promise<void> | void }[] = [];

  owe(what: string, work: () => Promise<void> | void): Undo {
    const entry = { what, work };
    this.#owed.push(entry);
    const drop = (): void => {
      const index = this.#owed.indexOf(entry);
      if (index >= 0) this.#owed.splice(index, 1);
    };
    return {
      drop,
      now: async () => {
        if (!this.#owed.includes(entry)) return;
        await work();
        drop();
      },
    };
  }

  /** Does all that is owed, whatever fails on the way; failures are handed to `onFailure`, one by one. */
  async unwind(onFailure: (what: string, error: unknown) => void): Promise<void> {
    for (let entry = this.#owed.pop(); entry !== undefined; entry = this.#owed.pop()) {
      try {
        await entry.work();
      } catch (error) {
        onFailure(entry.what, error);
      }
    }
  }
}
