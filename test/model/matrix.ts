import { stateOf } from '../../shared/update/transaction/transaction.ts';
import { exhaust } from './board/bootloader.ts';
import { ModelBoard, type SavedBoard } from './board/model-board.ts';
import { atEachStop, type Stop } from './board/stops.ts';
import { Worlds } from './board/worlds.ts';
import { type Flow, newVersion, oldVersion } from './flows.ts';
import { Futures, kindOfRest } from './futures.ts';
import type { End } from './good-end.ts';

/** Power fails before, within and after each step of a program that is run once; each state that this leaves lives on. */

/** What comes up after the cut: what the bootloader chooses, or the other slot, when the first never comes up. */
export type Turn = 'next' | 'other';

/** One moment at which power fails, and the state that it leaves. */
export interface Cut extends Stop {
  state: string;
}

export interface State {
  /** The moments that leave it. */
  cuts: readonly Cut[];
  ends: Partial<Record<Turn, End>>;
}

/** Steps that do not affect any decision: log lines, questions, and health checks, which repeat until the answer is good. */
const isNoStep =
  /^append (update\.log|trace|job-\w+\.end)|^write progress\.json|^run (rauc status --detailed|rauc info|rauc --version|systemctl is-active|docker(-compose)? version|docker (ps|inspect|image ls|logs))|docker-compose.* config#|alembic (current|heads)|SELECT 1\b|version_num/;

/** A board where a flow begins, to be put back to that as often as it is wanted. */
export class Stage implements AsyncDisposable {
  readonly flow: Flow;
  readonly board: ModelBoard;
  readonly rows: readonly string[];
  readonly #begin: SavedBoard;

  private constructor(flow: Flow, board: ModelBoard) {
    this.flow = flow;
    this.board = board;
    this.rows = board.rows;
    this.#begin = board.save();
  }

  static async open(programs: string, flow: Flow): Promise<Stage> {
    const board = new ModelBoard(programs, oldVersion, flow.kind);
    try {
      await flow.prepare(board);
      return new Stage(flow, board);
    } catch (error) {
      await board[Symbol.asyncDispose]();
      throw new Error(`Cannot come to "${flow.name}": ${error}`);
    }
  }

  get expected() {
    return { old: oldVersion, new: newVersion, rows: this.rows };
  }

  begin(): void {
    this.board.putBack(this.#begin);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#begin[Symbol.dispose]();
    await this.board[Symbol.asyncDispose]();
  }
}

/** Runs the flow's program once, and looks at the board on each side of each step. */
export async function cutsOf({ flow, board }: Stage, worlds: Worlds): Promise<Cut[]> {
  const steps = board.at('steps');
  const cuts: Cut[] = [];
  const { exitCode, stderr } = await atEachStop(steps, flow.run(board, { steps, hasStops: true }), (stop) => {
    if (!isNoStep.test(stop.step)) cuts.push({ ...stop, state: worlds.keep(board) });
  });
  // A program that ends early has fewer steps than it should.
  if (exitCode !== flow.exitCode)
    throw new Error(`it ended with ${exitCode}, not ${flow.exitCode}: ${stderr}`);
  return cuts;
}

/** Every state that a cut leaves, run to its ends. `restOf` chooses the stable boards that are booted once more. */
export async function statesOf(
  stage: Stage,
  restOf = kindOfRest,
): Promise<{ cuts: Cut[]; states: State[]; boots: number }> {
  using worlds = new Worlds();
  const cuts = await cutsOf(stage, worlds);
  const futures = new Futures(stage.board, stage.expected, restOf);
  const states: State[] = [];
  for (const [state, same] of Map.groupBy(cuts, (cut) => cut.state)) {
    const ends: State['ends'] = {};
    worlds.enter(stage.board, state);
    for (const turn of turnsOf(stage.board)) {
      worlds.enter(stage.board, state);
      ends[turn] = await endOfTurn(stage, futures, turn);
    }
    states.push({ cuts: same, ends });
  }
  return { cuts, states, boots: futures.count };
}

async function endOfTurn({ flow, board }: Stage, futures: Futures, turn: Turn): Promise<End> {
  const { order, left } = board.environment;
  const next = order.find((name) => left[name] > 0);
  if (turn === 'other' && next !== undefined) board.environment = exhaust(board.environment, next);
  const end = await futures.fromPowerOn();
  return end.kind === 'new' && !flow.mayCommit ? { kind: 'bad', wrong: ['it was committed'] } : end;
}

/** A fallback is there until the update is committed; RAUC takes a slot that it writes into out of the order. */
function turnsOf({ environment, transactionNow }: ModelBoard): Turn[] {
  const { order, left } = environment;
  const isCommitted = transactionNow !== undefined && stateOf(transactionNow) === 'committed';
  const hasOther = !isCommitted && order.filter((name) => left[name] > 0).length > 1;
  return hasOther ? ['next', 'other'] : ['next'];
}
