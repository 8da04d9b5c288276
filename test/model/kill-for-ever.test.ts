import { afterAll, describe, expect, test } from 'bun:test';
import { randomFrom, seed } from '../support/seed.ts';
import { byTier } from '../support/tier.ts';
import { flows } from './flows.ts';
import { type Way, wrongAfterFailingAt } from './forever.ts';
import { type Cut, cutsOf, Stage } from './matrix.ts';
import { nameOf } from './matrix-report.ts';
import { ModelPrograms } from './programs.ts';
import { drawnId } from './stops.ts';
import { Worlds } from './worlds.ts';

/**
 * A step that can never be passed, of each program: some of them by the seed of the commit, in CI one for each state that
 * a cut leaves, and each step before a release.
 */

const flowMs = 1_800_000;
const atMost = byTier({ quick: 2, all: Number.POSITIVE_INFINITY, deep: Number.POSITIVE_INFINITY });
const isEachStep = byTier({ quick: false, all: false, deep: true });

const programs = new ModelPrograms();
afterAll(() => programs[Symbol.dispose]());

describe(`a step that is killed again and again is left, or passed in the end (seed ${seed})`, () => {
  test.concurrent.each(flows)(
    'in $name',
    async (flow) => {
      await using stage = await Stage.open(programs.folder, flow);
      const cases = chosen(await casesOf(stage), atMost);
      const wrong: string[] = [];
      for (const { cut, way } of cases)
        for (const line of await wrongAfterFailingAt(stage, cut, way))
          wrong.push(`${way} ${nameOf(cut)}: ${line}`);
      expect(wrong).toEqual([]);
      expect(cases.length).toBeGreaterThan(0);
    },
    flowMs,
  );
});

interface Case {
  cut: Cut;
  way: Way;
}

/**
 * Steps of the program itself: what a child does is its own, and is passed the next time. One with an identifier that is
 * drawn anew cannot be named to the next run: the moment is also that after the step before.
 */
async function casesOf(stage: Stage): Promise<Case[]> {
  using worlds = new Worlds();
  const own = (await cutsOf(stage, worlds)).filter(({ side }) => side !== 'within');
  const cuts = own.flatMap((cut, index) => {
    if (cut.side !== 'before') return [];
    return cut.step.includes(drawnId) ? own.slice(Math.max(0, index - 1), index) : [cut];
  });
  const ofStates = [...Map.groupBy(cuts, ({ state }) => state).values()].flatMap((same) => same.slice(-1));
  return (isEachStep ? cuts : ofStates).flatMap((cut) =>
    (['power', 'program'] as const).map((way) => ({ cut, way })),
  );
}

/** By chance, none twice. */
function chosen<T>(all: readonly T[], most: number): T[] {
  const random = randomFrom(seed);
  const left = [...all];
  const taken: T[] = [];
  while (left.length > 0 && taken.length < most)
    taken.push(...left.splice(Math.floor(random() * left.length), 1));
  return taken;
}
