import { existsSync, readFileSync } from 'node:fs';
import { stateOf } from '../../shared/update/transaction.ts';
import { exhaust } from './bootloader.ts';
import { fingerprintOf } from './fingerprint.ts';
import { type Flow, newVersion, oldVersion } from './flows.ts';
import { type End, type Expected, endOf, wrongAtRest } from './good-end.ts';
import { ModelBoard } from './model-board.ts';

/** Power fails before and after each step of a program; then the board lives on. */

export interface Cell {
  flow: Flow;
  step: string;
  side: 'before' | 'after';
}

/** What comes up after the cut: what the bootloader chooses, or the other slot, when the first never comes up. */
export type Turn = 'next' | 'other';

export interface Outcome {
  turn: Turn;
  end: End;
}

/** What changes nothing that anybody decides by: lines of a log, questions, and health, which is asked until it comes. */
const isNoStep =
  /^append (update\.log|trace)|^write progress\.json|^run (rauc status --detailed|rauc info|systemctl is-active|docker(-compose)? version|docker (ps|inspect|image ls|logs))|docker-compose.* config#|alembic (current|heads)|SELECT 1\b|version_num/;

export async function stepsOf(programs: string, flow: Flow): Promise<string[]> {
  await using board = await begin(programs, flow);
  const steps = board.at('steps');
  await flow.run(board, { steps });
  return [...new Set(linesOf(steps))].filter((line) => !isNoStep.test(line));
}

export function cellsOf(flow: Flow, steps: readonly string[]): Cell[] {
  return steps.flatMap((step) => (['before', 'after'] as const).map((side) => ({ flow, step, side })));
}

/**
 * Lives of devices that were cut, by the state that the cut has left: the programs know nothing else, so that one
 * state has one future, and each is lived once.
 */
export class Lives {
  readonly #programs: string;
  readonly #ends = new Map<string, Promise<End>>();

  constructor(programs: string) {
    this.#programs = programs;
  }

  get count(): number {
    return this.#ends.size;
  }

  /** An outcome for each slot whose turn it may be; none where the program never came to the step. */
  async after(cell: Cell): Promise<Outcome[]> {
    const outcomes: Outcome[] = [];
    for (let turns: readonly Turn[] = ['next', 'other']; turns.length > 0; ) {
      await using device = await this.#cut(cell);
      if (device === undefined) return [];
      const known = await this.#known(device, turns);
      outcomes.push(...known);
      turns = turns.filter((turn) => device.turns.includes(turn) && !known.some((one) => one.turn === turn));
      const [turn] = turns;
      if (turn === undefined) break;
      // One device has one life: for the other turn it is cut again, unless somebody lives that now.
      const end = live(device, cell.flow, turn);
      this.#ends.set(keyOf(device, turn), end);
      outcomes.push({ turn, end: await end });
      turns = turns.slice(1);
    }
    return outcomes;
  }

  async #known(device: CutDevice, turns: readonly Turn[]): Promise<Outcome[]> {
    const known: Outcome[] = [];
    for (const turn of turns) {
      const end = device.turns.includes(turn) ? this.#ends.get(keyOf(device, turn)) : undefined;
      if (end !== undefined) known.push({ turn, end: await end });
    }
    return known;
  }

  async #cut({ flow, step, side }: Cell): Promise<CutDevice | undefined> {
    const board = await begin(this.#programs, flow);
    const expected = { old: oldVersion, new: newVersion, rows: board.rows };
    const steps = board.at('steps');
    await flow.run(board, { fault: `kill@${side}:${step}`, steps });
    if (!linesOf(steps).includes(step)) {
      await board[Symbol.asyncDispose]();
      return undefined;
    }
    const turns: Turn[] = mayOtherBoot(board) ? ['next', 'other'] : ['next'];
    const state = `${flow.name} ${fingerprintOf(board.path)}`;
    return { board, expected, turns, state, [Symbol.asyncDispose]: () => board[Symbol.asyncDispose]() };
  }
}

interface CutDevice extends AsyncDisposable {
  board: ModelBoard;
  expected: Expected;
  turns: readonly Turn[];
  state: string;
}

function keyOf({ state }: CutDevice, turn: Turn): string {
  return `${turn} ${state}`;
}

/** A fallback is there until the update is committed; RAUC takes a slot that it writes into out of the order. */
function mayOtherBoot({ environment, transactionNow }: ModelBoard): boolean {
  const { order, left } = environment;
  const isCommitted = transactionNow !== undefined && stateOf(transactionNow) === 'committed';
  return !isCommitted && order.filter((name) => left[name] > 0).length > 1;
}

async function live({ board, expected }: CutDevice, flow: Flow, turn: Turn): Promise<End> {
  const { order, left } = board.environment;
  const next = order.find((name) => left[name] > 0);
  if (turn === 'other' && next !== undefined) board.environment = exhaust(board.environment, next);
  board.powerOn();
  await board.runOn();
  const end = endOf(board, expected);
  if (end.kind === 'bad') return end;
  if (end.kind === 'new' && !flow.mayCommit) return { kind: 'bad', wrong: ['it was committed'] };
  return await sameAtNextBoot(board, expected, end);
}

/** That is one like any other, and changes nothing. */
async function sameAtNextBoot(board: ModelBoard, expected: Expected, end: End): Promise<End> {
  const [slot, database, updates] = [board.booted, board.stack.database, board.history.length];
  board.powerOn();
  await board.runOn();
  const again = endOf(board, expected);
  const isSame =
    again.kind === end.kind &&
    board.booted === slot &&
    board.stack.database === database &&
    board.history.length === updates;
  return isSame ? end : { kind: 'bad', wrong: ['the next boot changes something', JSON.stringify(again)] };
}

async function begin(programs: string, flow: Flow): Promise<ModelBoard> {
  const board = new ModelBoard(programs, oldVersion, flow.settings ?? {});
  try {
    await flow.prepare(board);
    return board;
  } catch (error) {
    await board[Symbol.asyncDispose]();
    throw new Error(`Cannot come to "${flow.name}": ${error}`);
  }
}

function linesOf(file: string): string[] {
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : [];
}

/** A step that always fails, in the new slot: how many boots it took to rest, and what is wrong with the device then. */
export interface Forever {
  wrong: string[];
  boots: number;
}

/**
 * The new version cannot pass the step, whatever is tried: power fails there in each boot, or its program dies there
 * and systemd starts it again. The old slot has programs of its own, which can.
 */
export async function failForEver(
  programs: string,
  { flow, step, side }: Cell,
  way: 'power' | 'program',
): Promise<Forever> {
  await using board = await begin(programs, flow);
  const { rows } = board;
  board.isPowerCut = way === 'power';
  const fault = `kill@${side}:${step}`;
  const boots = await board.runOn({ fault }, (booted) => booted === 'B');
  // A committed version that cannot write that down runs, and is tidied up once it can.
  const isOpen = /^(the next boot is held|the update is open)$/;
  const isCommitted = board.transactionNow !== undefined && stateOf(board.transactionNow) === 'committed';
  const wrong = wrongAtRest(board, rows).filter((one) => !isCommitted || !isOpen.test(one));
  return { wrong, boots };
}
