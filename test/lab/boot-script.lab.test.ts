import { afterAll, describe, expect, test } from 'bun:test';
import { TempFolder } from '../support/temp-folder.ts';
import { type BootVariables, type ModelBoot, modelBoot, type Slot } from './boot-model.ts';
import { reportScriptStates } from './report.ts';
import { runScript, type ScriptRun } from './script/script-bench.ts';
import {
  damagedEnvironments,
  environmentOf,
  everyStart,
  oddStarts,
  placements,
  variablesAfter,
  wholeCopies,
} from './script/starts.ts';

/** The boot script as it ships, in the real U-Boot, against the model: what it boots, and what it saves. */

const timeoutMs = 300_000;
const bootsInARow = 12;
let tried = 0;
afterAll(() => reportScriptStates(tried));

const both: readonly Slot[] = ['A', 'B'];
const nothing: BootVariables = { order: undefined, left: { A: undefined, B: undefined } };

describe('the boot script in U-Boot', () => {
  test(
    'boots what the model boots, twelve times in a row from every start',
    async () => {
      const place = placements[0];
      await compare(everyStart, (start) => environmentOf(start, place), {
        boots: bootsInARow,
        loadable: both,
      });
    },
    timeoutMs,
  );

  test.each(placements.slice(1))(
    'reads the newer copy: %s',
    async (place) => {
      await compare(everyStart, (start) => environmentOf(start, place), { boots: 1, loadable: both });
    },
    timeoutMs,
  );

  test(
    'is not misled by odd words, nor by a refill that was before',
    async () => {
      await compare(oddStarts, (start) => environmentOf(start, placements[2]), { boots: 8, loadable: both });
    },
    timeoutMs,
  );

  test(
    'starts with the defaults where both copies are damaged',
    async () => {
      using folder = new TempFolder();
      const runs = await runScript(folder.path, damagedEnvironments, { boots: 3, loadable: both });
      expect(runs.length).toBe(damagedEnvironments.length);
      for (const run of runs) {
        expect(run.boots.length).toBe(3);
        expectAsModel(nothing, run, both);
      }
      tried += runs.length;
    },
    timeoutMs,
  );

  test.each<[readonly Slot[], readonly BootVariables[]]>([
    [['A'], everyStart],
    [['B'], everyStart],
    [[], oddStarts],
  ])(
    'skips a slot whose kernel cannot be loaded: only %j can',
    async (loadable, starts) => {
      await compare(starts, (start) => environmentOf(start, placements[2]), { boots: 2, loadable });
    },
    timeoutMs,
  );
});

async function compare(
  starts: readonly BootVariables[],
  place: (start: BootVariables) => Buffer,
  wish: { boots: number; loadable: readonly Slot[] },
): Promise<void> {
  using folder = new TempFolder();
  const runs = await runScript(folder.path, starts.map(place), wish);
  expect(runs.length).toBe(starts.length);
  for (const [index, start] of starts.entries()) {
    const run = runs[index];
    if (run === undefined) throw new Error(`start ${index} was not run`);
    expect(run.boots.length).toBe(wish.boots);
    expectAsModel(start, run, wish.loadable);
  }
  tried += starts.length;
}

function expectAsModel(start: BootVariables, { boots, after }: ScriptRun, loadable: readonly Slot[]): void {
  let now = start;
  let hasSaved = false;
  const expected: Pick<ModelBoot, 'slot' | 'report'>[] = boots.map(() => {
    const { slot, report, saved } = modelBoot(now, (each) => loadable.includes(each));
    hasSaved ||= saved !== undefined;
    now = saved ?? now;
    return { slot, report };
  });
  expect({ start, boots }).toEqual({ start, boots: expected });
  if (!hasSaved) return;
  expect(wholeCopies(after)).toBeGreaterThan(0);
  const { version, ...variables } = variablesAfter(after) ?? { version: undefined, ...nothing };
  expect({ start, variables, version }).toEqual({ start, variables: now, version: '1' });
}
