import { expect } from 'bun:test';
import type { Flow } from './flows.ts';
import { type Stage, statesOf } from './matrix.ts';
import { type FlowReport, flowReportOf, rowOf } from './matrix-report.ts';

/** Boots each state that a cut of the flow leaves, reports the result, and expects one of the good ends. */
export async function proveFlow(stage: Stage, { name }: Flow, restOf?: Parameters<typeof statesOf>[1]) {
  const lived = await statesOf(stage, restOf);
  const told: FlowReport = flowReportOf(name, lived);
  process.stdout.write(`${rowOf(told)}\n`);
  expect([told.untested, told.badEnds]).toEqual([[], []]);
  expect(told.steps.length).toBeGreaterThan(0);
  return { told, cuts: lived.cuts };
}
