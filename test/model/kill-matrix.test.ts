import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { project } from '../../shared/packaging/project.ts';
import { flows } from './flows.ts';
import { Stage, statesOf } from './matrix.ts';
import { flowReportOf, MatrixReport, rowOf } from './matrix-report.ts';
import { modelPrograms } from './programs.ts';

/**
 * Each step of each program, cut before, within and after it, in the turn of either slot: the device always comes to the
 * new version on its own data, or to the old one on all that was written. Written down in `reports/kill-matrix.json`.
 */

const flowMs = 600_000;
const report = new MatrixReport();

let programs: Awaited<ReturnType<typeof modelPrograms>>;
beforeAll(async () => {
  programs = await modelPrograms();
}, 120_000);
afterAll(() => {
  mkdirSync(project.reports, { recursive: true });
  writeFileSync(join(project.reports, 'kill-matrix.json'), `${JSON.stringify(report, undefined, 2)}\n`);
  programs[Symbol.dispose]();
});

describe('power that fails at any step leaves one of two good ends', () => {
  test.concurrent.each(flows)(
    'in $name',
    async (flow) => {
      await using stage = await Stage.open(programs.folder, flow);
      const told = flowReportOf(flow.name, await statesOf(stage));
      report.add(told);
      process.stdout.write(`${rowOf(told)}\n`);
      expect([told.untested, told.badEnds]).toEqual([[], []]);
      expect(told.steps.length).toBeGreaterThan(0);
    },
    flowMs,
  );
});
