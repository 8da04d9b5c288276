import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Board, type BoardState } from '../board/board.ts';
import type { LabImages } from '../images/images.ts';

/** A cycle without a cut, as a series of saved states: a cut replays seconds of it, not minutes. */
export interface Recording {
  stops: readonly Stop[];
  /** Where it ended. */
  end: Stop;
}

export interface Stop {
  state: BoardState;
  /** How long the board lived from here to the next stop; nothing at the end. */
  lastsMs: number;
  /** All that was said on the serial line before. */
  console: string;
  /** The boots of the cycle before. */
  bootIds: readonly string[];
}

/** Of one part of a cycle: what starts it, how many boots it has, and whether it is over. */
export interface Part {
  begin: (board: Board) => Promise<void>;
  boots: number;
  isOver: (board: Board) => Promise<boolean>;
}

const stopEveryMs = 15_000;
/** A stop is 0.7 GB: on a machine that is so busy that a part has more of them, they come half as often from then on. */
const oftenStops = 10;

export async function recordPart(
  images: LabImages,
  from: Omit<Stop, 'lastsMs'>,
  folder: string,
  part: Part,
): Promise<Recording> {
  const stops: Stop[] = [];
  let here = { ...from };
  let boots = 0;
  let isOver = false;
  const stopNow = async (board: Board): Promise<void> => {
    const place = join(folder, `${stops.length}-${crypto.randomUUID()}`);
    mkdirSync(place, { recursive: true });
    const bootIds = [...new Set([...here.bootIds, board.bootId])];
    const console = here.console + board.console();
    here = { state: await board.save(place), console, bootIds };
  };
  await using first = await Board.resume(images, here.state);
  await part.begin(first);
  await stopNow(first);
  while (!isOver) {
    await using board = await Board.resume(images, here.state);
    const started = performance.now();
    // Nothing new is no failure: then it is still at what it was at.
    await board.nextBoot(pauseAfter(stops.length)).catch(() => {});
    if (board.bootId !== here.state.bootId) boots += 1;
    isOver = boots >= part.boots && (await part.isOver(board));
    stops.push({ ...here, lastsMs: Math.round(performance.now() - started) });
    await stopNow(board);
    process.stderr.write('.');
  }
  return { stops, end: { ...here, lastsMs: 0 } };
}

/** How long the board lives on after so many stops. */
export function pauseAfter(stops: number): number {
  return stopEveryMs * 2 ** Math.floor(stops / oftenStops);
}

export function lengthOf(stops: readonly Stop[]): number {
  return stops.reduce((sum, { lastsMs }) => sum + lastsMs, 0);
}

/**
 * The stop to resume from, and for how long. A stop is a saved board with all data flushed: at least so long before the
 * cut that the card's cache has its normal content again.
 */
export function replayTo(
  stops: readonly Stop[],
  atMs: number,
  leadMs = 5_000,
): { stop: Stop; replayMs: number } {
  let beginsAt = 0;
  let found: { stop: Stop; replayMs: number } | undefined;
  for (const stop of stops) {
    if (found === undefined || beginsAt <= atMs - leadMs) found = { stop, replayMs: atMs - beginsAt };
    beginsAt += stop.lastsMs;
  }
  if (found === undefined) throw new Error('a recording without a stop');
  return found;
}
