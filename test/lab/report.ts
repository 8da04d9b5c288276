import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { project } from '../../shared/packaging/project.ts';
import { Deadline } from '../../shared/system/deadline.ts';
import { isLock, tryLock } from '../../shared/system/process/lock.ts';
import { type ReportHead, reportHead, writeReport } from '../support/report/report.ts';
import type { Downtime } from './board/health-watch.ts';

/**
 * `reports/lab.json`: the results of the emulated board, for machines to read. Kept from run to run, because a long
 * run can resume: each story, and the cuts, have the commit that they tested.
 */

export interface LabStory extends Partial<ReportHead> {
  name: string;
  outcome: 'passed' | 'failed';
  seconds: number;
}

/** One power cut: when and where it fell, what the board came up with, and how soon. */
export interface LabCut {
  number: number;
  cycle: string;
  /** Since the cycle's begin, in the board's time of the recording. */
  atMs: number;
  /** How far the boot or shutdown was, and the update. */
  fellInto: string;
  /** The version and data of before or of after the update; anything else is a bad end, in words. */
  end: string;
  /** What the application's data is then: schema, rows, file, notes. */
  data: string;
  /** The state that the board was left in, as the next update finds it. */
  outcome: string;
  /** Whether the next update was taken to its commit from here, or from the same state at another cut. */
  nextUpdate: string;
  /** From power on to the verdict; undefined where none came. */
  recoverySeconds: number | undefined;
}

export interface LabCuts extends Partial<ReportHead> {
  seed: number;
  /** The length of each cycle without a cut. */
  cycleMs: Readonly<Record<string, number>>;
  /** Of the whole run, with the recording; of its last part, if a run was resumed. */
  seconds: number;
  cuts: readonly LabCut[];
}

interface Prevented {
  halfWrittenBoots: number;
  slotFlips: number;
}

/** What so many boots in a row do after an install that was cut off, and on a healthy board. */
export interface Baseline {
  boots: number;
  guide: Prevented;
  ours: Prevented;
}

/** An undisturbed update. */
export interface GoodUpdate extends Downtime {
  /** What the board's card was made of: only figures of the same are kept together. */
  images: string;
  installSeconds: number;
  /** From the word to reboot until the next system answers. */
  rebootSeconds: number;
  /** From there until it is committed. */
  verdictSeconds: number;
}

/** Its head is of the run that wrote last. */
export interface LabReport extends Partial<ReportHead> {
  format: 1;
  /** Environments that the boot script was started from, each held against the model. */
  scriptStates: number;
  stories: readonly LabStory[];
  /** How many power cuts; each of them in `cutting`. */
  cuts?: number;
  badEnds?: number;
  recoverySeconds?: { median: number; max: number };
  cutting?: LabCuts;
  baseline?: Baseline;
  goodUpdates?: readonly GoodUpdate[];
  /** The same with the guide's scripts: they have no verdict, so the start of the services counts as one. */
  guideUpdates?: readonly GoodUpdate[];
}

const file = join(project.reports, 'lab.json');
const lockMs = 10_000;

export function reportScriptStates(scriptStates: number): void {
  change((report) => ({ ...report, scriptStates }));
}

/** An entry of an earlier run is replaced. */
export function reportStory(story: LabStory): void {
  change((report) => ({
    ...report,
    stories: [...report.stories.filter(({ name }) => name !== story.name), { ...reportHead(), ...story }],
  }));
}

export function reportBaseline(baseline: Baseline): void {
  change((report) => ({ ...report, baseline }));
}

export function reportGoodUpdate(update: GoodUpdate): void {
  change((report) => ({ ...report, goodUpdates: withAnother(report.goodUpdates, update) }));
}

export function reportGuideUpdate(update: GoodUpdate): void {
  change((report) => ({ ...report, guideUpdates: withAnother(report.guideUpdates, update) }));
}

function withAnother(before: readonly GoodUpdate[] = [], update: GoodUpdate): GoodUpdate[] {
  return [...before.filter(({ images }) => images === update.images), update];
}

export function reportCuts(cutting: LabCuts): void {
  const good = cutting.cuts.filter(({ end }) => end === 'before' || end === 'after');
  const seconds = good.map(({ recoverySeconds = 0 }) => recoverySeconds).sort((one, two) => one - two);
  change((report) => ({
    ...report,
    cuts: cutting.cuts.length,
    badEnds: cutting.cuts.length - good.length,
    recoverySeconds: { median: seconds[Math.floor(seconds.length / 2)] ?? 0, max: seconds.at(-1) ?? 0 },
    cutting: { ...reportHead(), ...cutting },
  }));
}

/** Of the last run, if it was of that seed. */
export function cutsReported(seed: number): readonly LabCut[] {
  const { cutting } = read();
  return cutting?.seed === seed ? cutting.cuts : [];
}

/** One at a time: the cuts and the stories run side by side, and write into one report. */
function change(by: (report: LabReport) => LabReport): void {
  mkdirSync(project.cache, { recursive: true });
  const path = join(project.cache, 'lab-report.lock');
  const deadline = new Deadline(lockMs);
  let lock = tryLock(path, 'the lab');
  while (!isLock(lock)) {
    if (deadline.isOver) throw new Error(`process ${lock.pid} still writes into "${file}"`);
    Bun.sleepSync(5);
    lock = tryLock(path, 'the lab');
  }
  try {
    writeReport('lab', { ...by(read()), ...reportHead() });
  } finally {
    lock.release();
  }
}

function read(): LabReport {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return { format: 1, scriptStates: 0, stories: [] };
  }
}
