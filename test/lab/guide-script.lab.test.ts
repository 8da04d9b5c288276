import { expect, test } from 'bun:test';
import { TempFolder } from '../support/temp-folder.ts';
import { type BootVariables, modelBoot, type Slot } from './boot-model.ts';
import { reportBaseline } from './report.ts';
import { runGuideScript } from './script/guide-bench.ts';

/**
 * The guide's boot script as a baseline: what twelve boots in a row do after an install that was cut off, and on a
 * healthy board. Ours goes by the model, which the real script is held against in boot-script.lab.test.ts.
 */

const boots = 12;

test('the guide boots a half-written slot and flips a healthy board, and the rules of our script do neither', async () => {
  using folder = new TempFolder();
  const [afterCut = [], healthy = []] = await runGuideScript(
    folder.path,
    [
      { order: 'A', leftOfA: 3, leftOfB: 0 },
      { order: 'A B', leftOfA: 3, leftOfB: 3 },
    ],
    boots,
  );
  expect([afterCut.length, healthy.length]).toEqual([boots, boots]);
  const guide = { halfWrittenBoots: count(afterCut, 'B'), slotFlips: flipsOf(healthy) };
  const ours = {
    halfWrittenBoots: count(bootsOf({ order: 'A', left: { A: '3', B: '0' } }, 'never marked good'), 'B'),
    slotFlips: flipsOf(bootsOf({ order: 'A B', left: { A: '3', B: '3' } }, 'marked good')),
  };
  reportBaseline({ boots, guide, ours });
  expect(guide).toEqual({ halfWrittenBoots: 4, slotFlips: 3 });
  expect(ours).toEqual({ halfWrittenBoots: 0, slotFlips: 0 });
}, 120_000);

function bootsOf(start: BootVariables, then: 'marked good' | 'never marked good'): Slot[] {
  let now = start;
  return Array.from({ length: boots }, (): Slot => {
    const { slot, saved } = modelBoot(now, () => true);
    if (slot === undefined) throw new Error('the model boots nothing');
    now = saved ?? now;
    if (then === 'marked good') now = { ...now, left: { ...now.left, [slot]: '3' } };
    return slot;
  });
}

function count(slots: readonly Slot[], which: Slot): number {
  return slots.filter((slot) => slot === which).length;
}

function flipsOf(slots: readonly Slot[]): number {
  return slots.filter((slot, index) => index > 0 && slot !== slots[index - 1]).length;
}
