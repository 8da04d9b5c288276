/** How long a migration may take: as long as it makes progress, and never longer than the longest time. */

export interface Pace {
  /** The longest time without progress; each sign of progress restarts it. */
  deadlineMs: number;
  longestMs: number;
}

/** The signs of progress that are visible from outside. */
export interface Sight {
  /** How many lines it has printed. */
  lines: number;
  /** The revisions that alembic has recorded in the database. */
  revisions: string;
}

export interface ProgressSeen extends Sight {
  startedAtMs: number;
  movedAtMs: number;
}

export type Verdict = 'going on' | 'stalled' | 'too long';

export function beginProgress(sight: Sight, nowMs: number): ProgressSeen {
  return { ...sight, startedAtMs: nowMs, movedAtMs: nowMs };
}

/** Any change is progress: the revisions also become fewer when a branch is merged. */
export function seeProgress(seen: ProgressSeen, sight: Sight, nowMs: number): ProgressSeen {
  const hasMoved = sight.lines !== seen.lines || sight.revisions !== seen.revisions;
  return { ...seen, ...sight, movedAtMs: hasMoved ? nowMs : seen.movedAtMs };
}

export function judgeProgress({ startedAtMs, movedAtMs }: ProgressSeen, pace: Pace, nowMs: number): Verdict {
  if (nowMs - startedAtMs >= pace.longestMs) return 'too long';
  return nowMs - movedAtMs >= pace.deadlineMs ? 'stalled' : 'going on';
}
