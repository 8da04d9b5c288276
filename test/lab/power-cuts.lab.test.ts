import { expect, test } from 'bun:test';
import { dirname, join } from 'node:path';
import { randomFrom, seed } from '../support/seed.ts';
import { TempFolder } from '../support/temp-folder.ts';
import { type Cutting, cutAt } from './cuts/cut.ts';
import { type Cycle, recordCycles, updated } from './cuts/cycles.ts';
import { extractRootfs } from './cuts/whole-slot.ts';
import { factoryVersion } from './images/card-image.ts';
import { labImages } from './images/images.ts';
import { cutsReported, type LabCut, reportCuts } from './report.ts';

/**
 * Power is cut at random moments of a whole update, from the first byte to the commit, and of the rollback of a version
 * that is unwell. Each time the board comes up by itself in a slot that is whole, with data equal to before or to after.
 * The next update is taken to its commit from every state that the cuts have left, once each.
 */

const cuts = Number(process.env['HOMIE_LAB_CUTS'] ?? 25);
/** Of a long run that was ended: those before are in its report, and count if they are of the same seed. */
const first = Number(process.env['HOMIE_LAB_FROM'] ?? 1);
const boards = 2;
const cutMs = 900_000;
const recordingMs = 40 * 60_000;

test(
  `an emulated board survives ${cuts} power cuts at random moments of an update`,
  async () => {
    const fallen = cutsBefore();
    using folder = new TempFolder();
    const images = await labImages();
    const began = performance.now();
    const cycles = await recordCycles(images, folder.path);
    const rootfs = {
      [factoryVersion]: join(dirname(images.card), 'rootfs.ext4'),
      [updated.version]: await extractRootfs(images, updated.version, folder.path),
    };
    const proved = new Set(fallen.map(({ outcome }) => outcome));
    const cutting: Cutting = { images, folder, rootfs, proved };
    const lengths = Object.fromEntries(cycles.map(({ name, ms }) => [name, ms]));
    process.stderr.write(
      `Recorded in ${secondsSince(began)} s: ${JSON.stringify(lengths)} ms. Cutting ${cuts} times, HOMIE_SEED=${seed}\n`,
    );
    const moments = drawMoments(cycles, randomFrom(seed));
    await inParallel(moments.entries().drop(first - 1), async ([index, { cycle, atMs }]) => {
      const cut = { number: index + 1, cycle: cycle.name, atMs, ...(await cutAt(cutting, cycle, atMs)) };
      process.stderr.write(`  ${JSON.stringify(cut)}\n`);
      fallen.push(cut);
      fallen.sort((one, two) => one.number - two.number);
      reportCuts({ seed, cycleMs: lengths, seconds: secondsSince(began), cuts: fallen });
    });
    expect(fallen.filter(({ end }) => end !== 'before' && end !== 'after')).toEqual([]);
    expect(fallen.length).toBe(cuts);
  },
  recordingMs + cuts * cutMs,
);

/** Of the resumed run: all of them, else it cannot resume. */
function cutsBefore(): LabCut[] {
  const before = first === 1 ? [] : cutsReported(seed).filter(({ number }) => number < first);
  expect(before.map(({ number }) => number)).toEqual(
    Array.from({ length: first - 1 }, (_, index) => index + 1),
  );
  return before;
}

/** Evenly over the time of all cycles. */
function drawMoments(cycles: readonly Cycle[], random: () => number): { cycle: Cycle; atMs: number }[] {
  const wholeMs = cycles.reduce((sum, { ms }) => sum + ms, 0);
  return Array.from({ length: cuts }, () => {
    let atMs = Math.floor(random() * wholeMs);
    for (const cycle of cycles) {
      if (atMs < cycle.ms) return { cycle, atMs };
      atMs -= cycle.ms;
    }
    throw new Error('a moment after the last cycle'); // random() is below 1
  });
}

async function inParallel<Task>(tasks: Iterator<Task>, work: (task: Task) => Promise<void>): Promise<void> {
  const worker = async (): Promise<void> => {
    for (let task = tasks.next(); !task.done; task = tasks.next()) await work(task.value);
  };
  await Promise.all(Array.from({ length: boards }, worker));
}

function secondsSince(began: number): number {
  return Math.round((performance.now() - began) / 100) / 10;
}
