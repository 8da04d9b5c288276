/** How long a migration may take: as long as it moves, and never longer than the longest. */

export interface Pace {
  /** Without a sign of progress; each begins it anew. */
  deadlineMs: number;
  longestMs: number;
}

/** What can be seen of it from outside. */
export interface Sight {
  /** How many lines it has printed. */
  lines: number;
  /** What alembic has noted in the database. */
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

/** Any change is progress: revisions go back, too, where a branch is merged. */
export function seeProgress(seen: ProgressSeen, sight: Sight, nowMs: number): ProgressSeen {
  const hasMoved = sight.lines !== seen.lines || sight.revisions !== seen.revisions;
  return { ...seen, ...sight, movedAtMs: hasMoved ? nowMs : seen.movedAtMs };
}

export function judgeProgress({ startedAtMs, movedAtMs }: ProgressSeen, pace: Pace, nowMs: number): Verdict {
  if (nowMs - startedAtMs >= pace.longestMs) return 'too long';
  return nowMs - movedAtMs >= pace.deadlineMs ? 'stalled' : 'going on';
}
