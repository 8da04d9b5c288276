import { afterAll, describe, expect, test } from 'bun:test';
import { tier } from '../support/tier.ts';
import { flows } from './flows.ts';
import { casesOf, nameOfCase, wrongAfterFailingAt } from './forever.ts';
import { cutsOf, Stage } from './matrix.ts';
import { ModelPrograms } from './programs.ts';
import { Worlds } from './worlds.ts';

/**
 * A step that can never be passed, of each program: one for each state that a cut leaves, and each step before a release.
 * `npm test` draws one of each flow, in the kill matrix.
 */

const flowMs = 3 * 3_600_000;
const isEachStep = tier === 'deep';

const programs = new ModelPrograms();
afterAll(() => programs[Symbol.dispose]());

describe('a step that is killed again and again is left, or passed in the end', () => {
  test.concurrent.each(flows)(
    'in $name',
    async (flow) => {
      await using stage = await Stage.open(programs.folder, flow);
      using worlds = new Worlds();
      const cases = casesOf(await cutsOf(stage, worlds), isEachStep);
      const wrong: string[] = [];
      for (const one of cases)
        for (const line of await wrongAfterFailingAt(stage, one)) wrong.push(`${nameOfCase(one)}: ${line}`);
      expect(wrong).toEqual([]);
      expect(cases.length).toBeGreaterThan(0);
    },
    flowMs,
  );
});
