import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compilePrograms } from '../../shared/packaging/compile.ts';
import { project } from '../../shared/packaging/project.ts';
import { thisArchitecture } from '../support/this-architecture.ts';
import { Boards } from './boards.ts';
import { flows } from './flows.ts';
import { type Cell, cellsOf, failForEver, Lives, stepsOf } from './matrix.ts';
import { eachOf } from './pool.ts';

/**
 * Each step of each program, cut before and after it, in the turn of either slot: the device always comes to the new
 * version on its own data, or to the old one on all that was written. Written down in `reports/kill-matrix.json`.
 */

const atOnce = 16;
const flowMs = 600_000;
const report = {
  format: 1,
  steps: 0,
  cells: 0,
  lives: 0,
  untested: 0,
  badEnds: 0,
  flows: [] as FlowReport[],
};

interface FlowReport {
  flow: string;
  steps: string[];
  outcomes: Record<string, number>;
  untested: string[];
  badEnds: string[];
}

let folder: string;
let programs: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'homie-model-'));
  programs = join(folder, 'programs');
  await compilePrograms(programs, { architecture: thisArchitecture, hasFaultPoints: true });
}, 120_000);
afterAll(() => {
  mkdirSync(project.reports, { recursive: true });
  writeFileSync(join(project.reports, 'kill-matrix.json'), `${JSON.stringify(report, undefined, 2)}\n`);
  rmSync(folder, { recursive: true, force: true });
});

describe('power that fails at any step leaves one of two good ends', () => {
  test.each(flows)(
    'in $name',
    async (flow) => {
      await using boards = new Boards(programs, flow);
      const cells = cellsOf(flow, await stepsOf(boards, flow));
      const lives = new Lives(boards);
      const ends = await eachOf(cells, atOnce, async (cell) => ({ cell, outcomes: await lives.after(cell) }));
      const told: FlowReport = { flow: flow.name, steps: [], outcomes: {}, untested: [], badEnds: [] };
      for (const { cell, outcomes } of ends) {
        const name = nameOf(cell);
        if (outcomes.length === 0) told.untested.push(name);
        for (const { turn, end } of outcomes) {
          told.outcomes[`${turn}: ${end.kind}`] = (told.outcomes[`${turn}: ${end.kind}`] ?? 0) + 1;
          if (end.kind === 'bad') told.badEnds.push(`${name}, ${turn}: ${end.wrong.join('; ')}`);
        }
        report.cells += outcomes.length;
      }
      told.steps = [...new Set(cells.map(({ step }) => step))];
      report.steps += told.steps.length;
      report.lives += lives.count;
      report.untested += told.untested.length;
      report.badEnds += told.badEnds.length;
      report.flows.push(told);
      process.stdout.write(`${rowOf(told)}\n`);
      expect([told.untested, told.badEnds]).toEqual([[], []]);
      expect(told.steps.length).toBeGreaterThan(0);
    },
    flowMs,
  );
});

/** The attempts of the new slot, twice where it was marked good before it was cut, and the old slot's boot. */
const mostBoots = 7;
const inNewSlot = flows.filter(({ name }) => /^post-activate, in a trial/.test(name));

describe('a step that can never be passed is left within the attempts of the bootloader', () => {
  test.each(inNewSlot)(
    'in $name',
    async (flow) => {
      await using boards = new Boards(programs, flow);
      const steps = await stepsOf(boards, flow);
      const cases = cellsOf(flow, steps)
        .filter(({ side }) => side === 'before')
        .flatMap((cell) => (['power', 'program'] as const).map((way) => ({ cell, way })));
      const wrong = await eachOf(cases, atOnce, async ({ cell, way }) => {
        const { wrong, boots } = await failForEver(boards, cell, way);
        const isLeft = wrong.length === 0 && boots <= mostBoots;
        return isLeft ? undefined : `${way} ${nameOf(cell)}: ${wrong.join('; ')} after ${boots} boots`;
      });
      expect(wrong.filter((line) => line !== undefined)).toEqual([]);
    },
    flowMs,
  );
});

function nameOf({ side, step }: Cell): string {
  return `${side} ${step}`;
}

function rowOf({ flow, steps, outcomes, untested, badEnds }: FlowReport): string {
  const ends = Object.entries(outcomes).map(([kind, count]) => `${kind} ${count}`);
  return `${flow}: ${steps.length} steps; ${ends.join(', ')}; untested ${untested.length}, bad ends ${badEnds.length}`;
}
