import type { TracedProgram } from '../../shared/packaging/simulator/trace.ts';

/** What the hooks of one install took by their own account. */
export interface HookTimes {
  /** All programs together, the backup among it. */
  programSeconds: number;
  /** From *Backing up* to *Backed up* in the update log; 0 where nothing was backed up. */
  backupSeconds: number;
}

export function hookTimesOf(programs: readonly TracedProgram[], updateLog: string): HookTimes {
  return {
    programSeconds: programs.reduce((sum, { ms }) => sum + ms, 0) / 1000,
    backupSeconds: secondsBetween(updateLog, 'Backing up', 'Backed up'),
  };
}

/** By the clock of the log; the last time that it stands there. */
function secondsBetween(log: string, begin: string, end: string): number {
  const timeOf = (words: string): number =>
    Date.parse(
      log
        .split('\n')
        .findLast((line) => line.includes(` ${words} "`))
        ?.split(' ')[0] ?? '',
    );
  const ms = timeOf(end) - timeOf(begin);
  return Number.isNaN(ms) ? 0 : ms / 1000;
}

/** A round of the three that takes this long is made fewer times. */
const shortSeconds = 30;

export function roundsFor(secondsOfOne: number): number {
  return secondsOfOne <= shortSeconds ? 7 : 3;
}
