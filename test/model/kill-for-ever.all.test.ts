import { afterAll, describe, expect, test } from 'bun:test';
import { isRoot } from '../support/privileges.ts';
import { seed } from '../support/seed.ts';
import { tier } from '../support/tier.ts';
import { ModelPrograms } from './board/programs.ts';
import { Worlds } from './board/worlds.ts';
import { flows } from './flows.ts';
import { casesOf, drawn, nameOfCase, wrongAfterFailingAt } from './forever.ts';
import { cutsOf, Stage } from './matrix.ts';

/**
 * A step that can never be passed, of each program: some of them, drawn by the seed of the commit from the states that a
 * cut leaves, and each step before a release. `npm test` draws one of each flow, in the kill matrix.
 */

const flowMs = 3 * 3_600_000;
const isEachStep = tier === 'deep';
const some = 3;

const programs = new ModelPrograms();
afterAll(() => programs[Symbol.dispose]());

describe.skipIf(!isRoot)(
  `a step that is killed again and again is left, or passed in the end (seed ${seed})`,
  () => {
    test.concurrent.each(flows)(
      'in $name',
      async (flow) => {
        await using stage = await Stage.open(programs.folder, flow);
        using worlds = new Worlds();
        const cases = drawn(casesOf(await cutsOf(stage, worlds), isEachStep), isEachStep ? Infinity : some);
        const wrong: string[] = [];
        for (const one of cases)
          for (const line of await wrongAfterFailingAt(stage, one)) wrong.push(`${nameOfCase(one)}: ${line}`);
        expect(wrong).toEqual([]);
        expect(cases.length).toBeGreaterThan(0);
      },
      flowMs,
    );
  },
);
