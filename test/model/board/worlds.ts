import { fingerprintOf } from './fingerprint.ts';
import type { ModelBoard, SavedBoard } from './model-board.ts';

/** What a power cut leaves of one board, each kept once: equal content is one state, which has one future. */
export class Worlds implements Disposable {
  readonly #kept = new Map<string, SavedBoard>();

  /** Answers with the state's name. */
  keep(board: ModelBoard): string {
    const state = fingerprintOf(board.path);
    if (!this.#kept.has(state)) this.#kept.set(state, board.save());
    return state;
  }

  /** The board is then as it was when the state was kept. */
  enter(board: ModelBoard, state: string): void {
    const saved = this.#kept.get(state);
    if (saved === undefined) throw new Error(`no board was ever in the state ${state}`);
    board.putBack(saved);
  }

  [Symbol.dispose](): void {
    for (const saved of this.#kept.values()) saved[Symbol.dispose]();
    this.#kept.clear();
  }
}
