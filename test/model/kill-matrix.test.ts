import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { removeReport, writeReport } from '../support/report.ts';
import { seed } from '../support/seed.ts';
import { flows } from './flows.ts';
import { casesOf, drawn, nameOfCase, wrongAfterFailingAt } from './forever.ts';
import { Stage, statesOf } from './matrix.ts';
import { flowReportOf, MatrixReport, rowOf } from './matrix-report.ts';
import { ModelPrograms } from './programs.ts';

/**
 * Each step of each program, cut before, within and after it, in the turn of either slot: the device always comes to the
 * new version on its own data, or to the old one on all that was written. Written down in `reports/kill-matrix.json`. One
 * step of each program, drawn by the seed of the commit, fails for ever.
 */

const flowMs = 600_000;
/** Fewer would mean that flows have lost their steps. */
const least = { flows: 33, cells: 2_000, states: 400 };
const report = new MatrixReport();

const programs = new ModelPrograms();
beforeAll(() => removeReport('kill-matrix'));
afterAll(() => {
  programs[Symbol.dispose]();
  const all = report.toJSON();
  writeReport('kill-matrix', { format: 2, least, ...all });
  // Some of them may be run by name.
  if (all.flows.length < flows.length) return;
  expect([all.cells >= least.cells, all.states >= least.states]).toEqual([true, true]);
});

describe(`power that fails at any step leaves one of two good ends, a step for ever too (seed ${seed})`, () => {
  test.concurrent.each(flows)(
    'in $name',
    async (flow) => {
      await using stage = await Stage.open(programs.folder, flow);
      const lived = await statesOf(stage);
      const told = flowReportOf(flow.name, lived);
      report.add(told);
      process.stdout.write(`${rowOf(told)}\n`);
      expect([told.untested, told.badEnds]).toEqual([[], []]);
      expect(told.steps.length).toBeGreaterThan(0);

      for (const one of drawn(casesOf(lived.cuts, false), 1))
        expect([nameOfCase(one), await wrongAfterFailingAt(stage, one)]).toEqual([nameOfCase(one), []]);
    },
    flowMs,
  );
});
