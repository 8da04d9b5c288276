import type { Case } from './junit.ts';
import type { FileRun } from './run-file.ts';

export interface Outcome {
  passed: number;
  /** Tests, and files that ran none or ended badly. */
  failed: number;
  skipped: number;
}

export function outcomeOf(runs: readonly FileRun[]): Outcome {
  const count = (outcome: Case['outcome']): number =>
    runs.reduce((sum, { cases }) => sum + cases.filter((one) => one.outcome === outcome).length, 0);
  const troubled = runs.filter(({ trouble }) => trouble !== undefined).length;
  return { passed: count('passed'), failed: count('failed') + troubled, skipped: count('skipped') };
}

export interface FileOutcome extends Outcome {
  file: string;
  lane: string;
  /** How often it was run. */
  runs: number;
  seconds: number;
  cpuSeconds: number;
}

/** For machines to read. */
export function outcomePerFile(runs: readonly FileRun[]): FileOutcome[] {
  const perFile = Map.groupBy(runs, ({ lane, file }) => `${lane} ${file}`);
  return [...perFile.values()].flatMap((all) => {
    const [one] = all;
    if (one === undefined) return [];
    const sum = (of: (run: FileRun) => number): number =>
      Math.round(all.reduce((so, each) => so + of(each), 0) * 100) / 100;
    const [seconds, cpuSeconds] = [sum((run) => run.seconds), sum((run) => run.cpuSeconds)];
    return { file: one.file, lane: one.lane, runs: all.length, ...outcomeOf(all), seconds, cpuSeconds };
  });
}

/**
 * A test that is skipped is one that nothing runs: it fails the run, unless this machine is known to lack what it needs. So
 * do fewer tests than there must be.
 */
export function isGood(
  { passed, failed, skipped }: Outcome,
  { maySkip = false, least = 1 }: { maySkip?: boolean; least?: number } = {},
): boolean {
  return failed === 0 && passed >= least && (skipped === 0 || maySkip);
}

/** The last line of a run. */
export function formatOutcome({ passed, failed, skipped }: Outcome): string {
  return `${passed} passed, ${failed} failed${skipped === 0 ? '' : `, ${skipped} skipped`}`;
}

export function isWell({ trouble, cases }: FileRun): boolean {
  return trouble === undefined && cases.every(({ outcome }) => outcome !== 'failed');
}

/** One line of a file that has ended. */
export function formatRun(run: FileRun): string {
  return `${isWell(run) ? 'passed' : 'FAILED'} ${run.file}: ${formatOutcome(outcomeOf([run]))} in ${run.seconds} s`;
}

/** Once more at the end: what failed, where and why, and what was skipped. */
export function formatProblems(runs: readonly FileRun[]): string[] {
  return runs.flatMap(({ file, cases, trouble, log }) => {
    const failed = cases.filter(({ outcome }) => outcome === 'failed');
    const lines = [
      ...failed.flatMap((one) => [
        `FAILED ${placeOf(file, one)}`,
        ...firstLines(one.message ?? '').map((line) => `    ${line}`),
      ]),
      ...(trouble === undefined ? [] : [`FAILED ${file}: ${trouble}`]),
    ];
    const skipped = cases.filter(({ outcome }) => outcome === 'skipped');
    return [
      ...lines,
      ...(lines.length === 0 || log === undefined ? [] : [`    all it said: ${log}`]),
      ...skipped.map((one) => `skipped ${placeOf(file, one)}`),
    ];
  });
}

function placeOf(file: string, { name }: Case): string {
  return `${file}: ${name}`;
}

function firstLines(message: string): string[] {
  return message
    .split('\n')
    .filter((line) => line.trim() !== '')
    .slice(0, 6);
}
