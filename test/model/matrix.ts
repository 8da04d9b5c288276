import { existsSync, readFileSync } from 'node:fs';
import { stateOf } from '../../shared/update/transaction.ts';
import type { Boards } from './boards.ts';
import { exhaust } from './bootloader.ts';
import { fingerprintOf } from './fingerprint.ts';
import { type Flow, newVersion, oldVersion } from './flows.ts';
import { type End, type Expected, endOf, wrongAtRest } from './good-end.ts';
import type { ModelBoard } from './model-board.ts';

/** Power fails before and after each step of a program; then the board lives on. */

export interface Cell {
  flow: Flow;
  step: string;
  side: 'before' | 'after';
}

/** What comes up after the cut: what the bootloader chooses, or the other slot, when the first never comes up. */
type Turn = 'next' | 'other';

export interface Outcome {
  turn: Turn;
  end: End;
}

/** What changes nothing that anybody decides by: lines of a log, questions, and health, which is asked until it comes. */
const isNoStep =
  /^append (update\.log|trace)|^write progress\.json|^run (rauc status --detailed|rauc info|systemctl is-active|docker(-compose)? version|docker (ps|inspect|image ls|logs))|docker-compose.* config#|alembic (current|heads)|SELECT 1\b|version_num/;

export function stepsOf(boards: Boards, flow: Flow): Promise<string[]> {
  return boards.lend(async (board) => {
    const steps = board.at('steps');
    await flow.run(board, { steps });
    return [...new Set(linesOf(steps))].filter((line) => !isNoStep.test(line));
  });
}

export function cellsOf(flow: Flow, steps: readonly string[]): Cell[] {
  return steps.flatMap((step) => (['before', 'after'] as const).map((side) => ({ flow, step, side })));
}

/**
 * Lives of devices that were cut, by the state that the cut has left: the programs know nothing else, so that one
 * state has one future, and each is lived once.
 */
export class Lives {
  readonly #boards: Boards;
  readonly #ends = new Map<string, Promise<End>>();

  constructor(boards: Boards) {
    this.#boards = boards;
  }

  get count(): number {
    return this.#ends.size;
  }

  /** An outcome for each slot whose turn it may be; none where the program never came to the step. */
  after({ flow, step, side }: Cell): Promise<Outcome[]> {
    return this.#boards.lend(async (board) => {
      const expected = { old: oldVersion, new: newVersion, rows: board.rows };
      const steps = board.at('steps');
      await flow.run(board, { fault: `kill@${side}:${step}`, steps });
      if (!linesOf(steps).includes(step)) return [];
      const turns: Turn[] = mayOtherBoot(board) ? ['next', 'other'] : ['next'];
      const state = fingerprintOf(board.path);
      using cut = board.save();
      const outcomes: Outcome[] = [];
      for (const turn of turns) {
        const key = `${turn} ${state}`;
        const known = this.#ends.get(key);
        if (known === undefined) board.putBack(cut);
        const end = known ?? live(board, expected, flow, turn);
        this.#ends.set(key, end);
        outcomes.push({ turn, end: await end });
      }
      return outcomes;
    });
  }
}

/** A fallback is there until the update is committed; RAUC takes a slot that it writes into out of the order. */
function mayOtherBoot({ environment, transactionNow }: ModelBoard): boolean {
  const { order, left } = environment;
  const isCommitted = transactionNow !== undefined && stateOf(transactionNow) === 'committed';
  return !isCommitted && order.filter((name) => left[name] > 0).length > 1;
}

async function live(board: ModelBoard, expected: Expected, flow: Flow, turn: Turn): Promise<End> {
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
export function failForEver(boards: Boards, cell: Cell, way: 'power' | 'program'): Promise<Forever> {
  return boards.lend((board) => failOn(board, cell, way));
}

async function failOn(board: ModelBoard, { step, side }: Cell, way: 'power' | 'program'): Promise<Forever> {
  const { rows } = board;
  const fault = `kill@${side}:${step}`;
  board.isPowerCut = way === 'power';
  const isRebooting = await board.bootProgram({ fault });
  const isCommitted = board.transactionNow !== undefined && stateOf(board.transactionNow) === 'committed';
  // There is no other slot to go to any more, and nothing else that ends power cuts.
  if (isCommitted && way === 'power') return { wrong: [], boots: 1 };
  if (isRebooting) board.powerOn();
  const boots = 1 + (isRebooting ? await board.runOn({ fault }, (booted) => booted === 'B') : 0);
  // A committed version that cannot write that down runs, and is tidied up once it can.
  const isOpen = /^(the next boot is held|the update is open)$/;
  return { wrong: wrongAtRest(board, rows).filter((one) => !isCommitted || !isOpen.test(one)), boots };
}
