import { stateOf } from '../../shared/update/transaction/transaction.ts';
import { randomFrom, seed } from '../support/seed.ts';
import { fingerprintOf } from './board/fingerprint.ts';
import type { ModelBoard } from './board/model-board.ts';
import { drawnId } from './board/stops.ts';
import { endOf, wrongAtRest } from './good-end.ts';
import type { Cut, Stage } from './matrix.ts';

/** A step that always fails: power goes there in each run, or only the program dies there. */

type Way = 'power' | 'program';

export interface Case {
  cut: Cut;
  way: Way;
}

export function nameOfCase({ cut, way }: Case): string {
  return `${way} ${cut.side} ${cut.step}`;
}

/**
 * Steps of the program itself: what a child does is its own, and is passed the next time. One with an identifier that is
 * drawn anew cannot be named to the next run: the moment is also that after the step before. One step for each state
 * that a cut leaves, where not each of them is wanted.
 */
export function casesOf(cuts: readonly Cut[], isEachStep: boolean): Case[] {
  const own = cuts.filter(({ side }) => side !== 'within');
  const steps = own.flatMap((cut, index) => {
    if (cut.side !== 'before') return [];
    return cut.step.includes(drawnId) ? own.slice(Math.max(0, index - 1), index) : [cut];
  });
  const ofStates = [...Map.groupBy(steps, ({ state }) => state).values()].flatMap((same) => same.slice(-1));
  return (isEachStep ? steps : ofStates).flatMap((cut) =>
    (['power', 'program'] as const).map((way) => ({ cut, way })),
  );
}

/** The attempts of a slot, twice where it was marked good before it was cut, and the other slot's boot. */
const mostBoots = 7;
/** So often a person, or a timer, tries the same again. */
const mostTries = 3;

/** So many of them by chance, none twice. */
export function drawn<T>(all: readonly T[], most: number): T[] {
  const random = randomFrom(seed);
  const left = [...all];
  const taken: T[] = [];
  while (left.length > 0 && taken.length < most)
    taken.push(...left.splice(Math.floor(random() * left.length), 1));
  return taken;
}

/** What is wrong with the device in the end; empty where all is well. */
export async function wrongAfterFailingAt(stage: Stage, { cut, way }: Case): Promise<string[]> {
  stage.begin();
  stage.board.isPowerCut = way === 'power';
  const fault = `kill@${cut.side}:${cut.step}`;
  try {
    return stage.flow.isBoot ? await inEachBoot(stage, fault, way) : await inEachTry(stage, fault, way);
  } finally {
    stage.board.isPowerCut = false;
  }
}

/**
 * The slot's program cannot pass the step; the other slot has a program of its own, which can. A version on trial is
 * left within its attempts. One that is to stay, or has nowhere to go, may boot in vain as long as the fault lasts.
 */
async function inEachBoot(stage: Stage, fault: string, way: Way): Promise<string[]> {
  const { board, flow } = stage;
  const slot = board.booted;
  let boots = 1;
  let isRebooting = await board.bootProgram({ fault });
  const isCommitted = hasCommitted(board);
  let isOtherTried = false;
  for (; isRebooting && boots < mostBoots; boots += 1) {
    board.powerOn();
    isOtherTried ||= board.booted !== slot;
    isRebooting = await board.bootProgram({ fault: board.booted === slot ? fault : undefined });
  }
  if (flow.isTrial && !(isCommitted && way === 'power')) {
    const wrong = wrongAtRest(board, stage.rows);
    // A committed version that cannot write that down runs, and is tidied up once it can.
    const isOpen = /^(the next boot is held|the update is open)$/;
    const left = wrong.filter((one) => !isCommitted || !isOpen.test(one));
    if (isRebooting) left.push(`it still reboots after ${boots} boots`);
    if (left.length > 0) return left;
  }
  // With all attempts spent the bootloader gives new ones: the slot that did not come up may prove itself then.
  return await wrongOnceItPasses(stage, flow.mayCommit || isOtherTried);
}

/** The program is run again and again in vain, and at last it passes. */
async function inEachTry(stage: Stage, fault: string, way: Way): Promise<string[]> {
  const { board, flow } = stage;
  let before = '';
  for (let tries = 0; tries < mostTries; tries += 1) {
    const { exitCode } = await flow.run(board, { fault });
    // A later try may end before it comes to the step; the first one has to come to it.
    if (tries === 0 && exitCode === flow.exitCode) return ['the fault is nowhere met'];
    if (way === 'power') {
      board.powerOn();
      await board.runOn();
    } else {
      await board.letSystemdAct();
    }
    const state = fingerprintOf(board.path);
    if (state === before) break;
    before = state;
  }
  const wrong = way === 'power' ? wrongAtRest(board, stage.rows) : [];
  if (wrong.length > 0) return wrong;
  await flow.run(board, {});
  return await wrongOnceItPasses(stage, flow.mayCommit);
}

async function wrongOnceItPasses({ board, expected }: Stage, mayCommit: boolean): Promise<string[]> {
  board.isPowerCut = false;
  board.powerOn();
  await board.runOn();
  const end = endOf(board, expected);
  if (end.kind === 'bad') return ['once the step passes', ...end.wrong];
  return end.kind === 'new' && !mayCommit ? ['it was committed'] : [];
}

function hasCommitted({ transactionNow }: ModelBoard): boolean {
  return transactionNow !== undefined && stateOf(transactionNow) === 'committed';
}
