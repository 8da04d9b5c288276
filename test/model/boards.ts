import { type Flow, oldVersion } from './flows.ts';
import { ModelBoard, type SavedBoard } from './model-board.ts';

/** Boards where a flow begins: each comes there once, and is put back to that as often as it is lent. */
export class Boards implements AsyncDisposable {
  readonly #programs: string;
  readonly #flow: Flow;
  readonly #free: PreparedBoard[] = [];

  constructor(programs: string, flow: Flow) {
    this.#programs = programs;
    this.#flow = flow;
  }

  /** The board is the borrower's alone until the work has ended. */
  async lend<T>(work: (board: ModelBoard) => Promise<T>): Promise<T> {
    const prepared = this.#free.pop() ?? (await this.#prepare());
    try {
      return await work(prepared.board);
    } finally {
      prepared.board.putBack(prepared.saved);
      this.#free.push(prepared);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { board, saved } of this.#free.splice(0)) {
      saved[Symbol.dispose]();
      await board[Symbol.asyncDispose]();
    }
  }

  async #prepare(): Promise<PreparedBoard> {
    const board = new ModelBoard(this.#programs, oldVersion, this.#flow.settings ?? {});
    try {
      await this.#flow.prepare(board);
      return { board, saved: board.save() };
    } catch (error) {
      await board[Symbol.asyncDispose]();
      throw new Error(`Cannot come to "${this.#flow.name}": ${error}`);
    }
  }
}

interface PreparedBoard {
  board: ModelBoard;
  saved: SavedBoard;
}
