import { stateOf } from '../../shared/update/transaction/transaction.ts';
import { fingerprintOf } from './board/fingerprint.ts';
import type { ModelBoard } from './board/model-board.ts';
import { type End, type Expected, endOf } from './good-end.ts';

/** So many boots in a row without rest are a loop. */
const mostBoots = 16;

/**
 * How the lives of one board end that come from power on. The programs know nothing but what lies on the disk, so that
 * two boots from equal content are one: each is lived once.
 */
export class Futures {
  readonly #board: ModelBoard;
  readonly #expected: Expected;
  /** What of a board at rest tells whether the boot after it is one like another's. */
  readonly #restOf: (board: ModelBoard) => string;
  readonly #ends = new Map<string, End>();
  readonly #steady = new Map<string, End>();

  constructor(board: ModelBoard, expected: Expected, restOf = kindOfRest) {
    this.#board = board;
    this.#expected = expected;
    this.#restOf = restOf;
  }

  /** How many boots were lived. */
  get count(): number {
    return this.#ends.size + this.#steady.size;
  }

  /** Powers the board on, and boots until a boot comes to rest; the one after that must change nothing. */
  async fromPowerOn(): Promise<End> {
    const board = this.#board;
    const way: string[] = [];
    let end: End | undefined;
    while (end === undefined) {
      board.powerOn();
      const state = fingerprintOf(board.path);
      end = this.#ends.get(state);
      if (end !== undefined) break;
      way.push(state);
      if (!(await board.bootProgram())) end = await this.#endAtRest();
      else if (way.length >= mostBoots) end = { kind: 'bad', wrong: ['it boots for ever'] };
    }
    for (const state of way) this.#ends.set(state, end);
    return end;
  }

  async #endAtRest(): Promise<End> {
    const end = endOf(this.#board, this.#expected);
    if (end.kind === 'bad') return end;
    const state = this.#restOf(this.#board);
    const known = this.#steady.get(state) ?? (await this.#sameAtNextBoot(end));
    this.#steady.set(state, known);
    return known.kind === 'bad' ? known : end;
  }

  /** That is one like any other, and changes nothing. */
  async #sameAtNextBoot(end: End): Promise<End> {
    const before = factsOf(this.#board);
    this.#board.powerOn();
    await this.#board.runOn();
    const again = endOf(this.#board, this.#expected);
    const after = factsOf(this.#board);
    if (again.kind === end.kind && after === before) return end;
    return { kind: 'bad', wrong: [`the next boot turns ${before} into ${after}`, JSON.stringify(again)] };
  }
}

/** What no boot of a board at rest changes. */
function factsOf({ booted, stack, history }: ModelBoard): string {
  return `slot ${booted}, database "${stack.database}", ${history.length} updates`;
}

/** Boards that rest in the same slot for the same reason, with the same attempts. */
export function kindOfRest({ booted, environment, isHeld, transactionNow, history }: ModelBoard): string {
  const last = transactionNow === undefined ? 'none' : stateOf(transactionNow);
  return JSON.stringify([booted, environment, isHeld, last, transactionNow?.isClosed, history.length]);
}

/** Boards whose content is the same. */
export function wholeRest({ path }: ModelBoard): string {
  return fingerprintOf(path);
}
