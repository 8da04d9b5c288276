import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { isRoot } from '../support/privileges.ts';
import { removeReport, writeReport } from '../support/report/report.ts';
import { ModelPrograms } from './board/programs.ts';
import { Worlds } from './board/worlds.ts';
import { flows } from './flows.ts';
import { cutsOf, Stage } from './matrix.ts';
import { MatrixReport } from './matrix-report.ts';
import { proveFlow } from './prove-flow.ts';

/**
 * The flows that `npm test` leaves out of the kill matrix, because another one has all of their steps: each is run,
 * and checked to be a part of the other. The result is in `reports/kill-matrix-parts.json`.
 */

const flowMs = 600_000;
const least = { flows: 6, cells: 350, states: 80 };
const parts = flows.filter(({ isPartOf }) => isPartOf !== undefined);
const report = new MatrixReport();

const programs = new ModelPrograms();
beforeAll(() => removeReport('kill-matrix-parts'));
afterAll(() => {
  programs[Symbol.dispose]();
  const all = report.toJSON();
  writeReport('kill-matrix-parts', { format: 2, least, ...all });
  if (all.flows.length < parts.length) return;
  expect([all.flows.length >= least.flows, all.cells >= least.cells, all.states >= least.states]).toEqual([
    true,
    true,
    true,
  ]);
});

describe.skipIf(!isRoot)('power that fails at any step leaves one of two good ends', () => {
  test.concurrent.each(parts)(
    'in $name',
    async (flow) => {
      await using stage = await Stage.open(programs.folder, flow);
      const { told } = await proveFlow(stage, flow);
      report.add(told);
      expect(await stepsOf(flow.isPartOf)).toEqual(expect.arrayContaining(told.steps.map(plainOf)));
    },
    flowMs,
  );
});

async function stepsOf(name: string | undefined): Promise<string[]> {
  const flow = flows.find((one) => one.name === name);
  if (flow === undefined) throw new Error(`there is no flow "${name}"`);
  await using stage = await Stage.open(programs.folder, flow);
  using worlds = new Worlds();
  return [...new Set((await cutsOf(stage, worlds)).map(({ step }) => plainOf(step)))];
}

/** A step in either flow: how often it came before does not matter, nor whether a redis is stopped with the others. */
function plainOf(step: string): string {
  return step.replace(/#\d+$/, '').replace(/ redis$/, '');
}
