import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { isRoot } from '../support/privileges.ts';
import { removeReport, writeReport } from '../support/report/report.ts';
import { seed } from '../support/seed.ts';
import { ModelPrograms } from './board/programs.ts';
import { flows } from './flows.ts';
import { casesOf, drawn, nameOfCase, wrongAfterFailingAt } from './forever.ts';
import { Stage } from './matrix.ts';
import { MatrixReport } from './matrix-report.ts';
import { proveFlow } from './prove-flow.ts';

/**
 * Each step of each program, cut before, within and after it, in the turn of either slot: the device always comes to the
 * new version on its own data, or to the old one on all that was written. Written down in `reports/kill-matrix.json`. Of some
 * flows, drawn by the seed of the commit, a step fails for ever. Flows that are a part of another are lived in
 * `kill-matrix-parts.all.test.ts`.
 */

const flowMs = 600_000;
/** Fewer would mean that flows have lost their steps. */
const least = { flows: 27, cells: 1_600, states: 320 };
/** Of so many a step fails for ever; of all of them in `kill-for-ever.all.test.ts`. */
const mostForEver = 9;
const whole = flows.filter(({ isPartOf }) => isPartOf === undefined);
const parts = flows.flatMap(({ name, isPartOf }) =>
  isPartOf === undefined ? [] : [{ flow: name, isPartOf }],
);
const forEver = new Set(drawn(whole, mostForEver));
const report = new MatrixReport();

const programs = new ModelPrograms();
beforeAll(() => removeReport('kill-matrix'));
afterAll(() => {
  programs[Symbol.dispose]();
  const all = report.toJSON();
  writeReport('kill-matrix', { format: 2, least, ...all, parts });
  // Some of them may be run by name.
  if (all.flows.length < whole.length) return;
  expect([all.flows.length >= least.flows, all.cells >= least.cells, all.states >= least.states]).toEqual([
    true,
    true,
    true,
  ]);
});

describe.skipIf(!isRoot)(
  `power that fails at any step leaves one of two good ends, a step for ever too (seed ${seed})`,
  () => {
    test.concurrent.each(whole)(
      'in $name',
      async (flow) => {
        await using stage = await Stage.open(programs.folder, flow);
        const { told, cuts } = await proveFlow(stage, flow);
        report.add(told);
        if (!forEver.has(flow)) return;
        for (const one of drawn(casesOf(cuts, false), 1))
          expect([nameOfCase(one), await wrongAfterFailingAt(stage, one)]).toEqual([nameOfCase(one), []]);
      },
      flowMs,
    );
  },
);
