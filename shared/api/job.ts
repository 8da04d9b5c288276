import { readFileSync, rmSync } from 'node:fs';
import { uptime } from 'node:os';
import { join } from 'node:path';
import * as v from 'valibot';
import { type Outcome, outcomeOf } from '../system/exit-code.ts';
import { runFolderOf, StateFile } from '../system/files/state-file.ts';
import type { Places } from '../system/places.ts';
import { lockHolder } from '../system/process/lock.ts';

/**
 * A job is a process of its own: it continues when the service ends, and the next service finds it again. Its state is on
 * disk: what was started, a lock that the kernel holds as long as it runs, and the note of its end.
 */

const kinds = ['install', 'rollback', 'cancel'] as const;

const jobSchema = v.looseObject({
  format: v.number(),
  id: v.string(),
  kind: v.picklist(kinds),
  /** The bundle to install; null for every other kind. */
  source: v.nullable(v.string()),
  /** ISO 8601. */
  startedAt: v.string(),
  /** Counted from the boot, because the clock may be set meanwhile. */
  startedUptimeSeconds: v.number(),
});

const jobFile = new StateFile(jobSchema, 'job.json', { folder: runFolderOf });

export type Job = v.InferOutput<typeof jobSchema>;
export type JobKind = (typeof kinds)[number];
type JobState = 'starting' | 'running' | 'done' | 'failed';

export interface JobStanding {
  state: JobState;
  /** Set when it has ended; from the table of exit codes. */
  exitCode?: number;
  outcome?: Outcome;
  /** Why it failed, or its last line. */
  reason?: string;
}

/** The end of a job, as the program itself noted it (`trace` in system/process/program.ts). */
export interface JobEnd {
  exitCode: number;
  lastLine: string;
}

/** systemd may be slow to start a job on a busy board. */
export const startingSeconds = 15;
const vanished = 'it ended without a message; see "journalctl" for the reason';

export interface JobFacts {
  end: JobEnd | undefined;
  /** Whether the kernel holds its lock. */
  isHeld: boolean;
  ageSeconds: number;
}

export function jobStateOf({ end, isHeld, ageSeconds }: JobFacts): JobStanding {
  if (end !== undefined) {
    const { exitCode, lastLine } = end;
    const outcome = outcomeOf(exitCode) ?? 'failed';
    const isDone = outcome === 'done' || outcome === 'rebootNeeded';
    return { state: isDone ? 'done' : 'failed', exitCode, outcome, reason: lastLine };
  }
  if (isHeld) return { state: 'running' };
  if (ageSeconds < startingSeconds) return { state: 'starting' };
  return { state: 'failed', outcome: 'failed', reason: vanished };
}

export function standingOf(job: Job, places: Places): JobStanding {
  // Check the lock before the note of the end: a job that ends between the two is then not taken for a lost one.
  const isHeld = isJobLocked(places);
  const ageSeconds = uptime() - job.startedUptimeSeconds;
  return jobStateOf({ end: readEnd(job, places), isHeld, ageSeconds });
}

export function newJob(id: string, kind: JobKind, source: string | null): Job {
  return {
    format: 1,
    id,
    kind,
    source,
    startedAt: new Date().toISOString(),
    startedUptimeSeconds: uptime(),
  };
}

/** The last job of this boot. */
export function readJob(places: Places): Job | undefined {
  return jobFile.read(places);
}

export function writeJob(places: Places, job: Job): void {
  jobFile.write(places, job);
}

/** Forgets a job that could not be started, as if it had never been requested. */
export function forgetJob(places: Places): void {
  rmSync(jobFile.pathIn(places), { force: true });
}

export function isJobLocked(places: Places): boolean {
  return lockHolder(jobLockOf(places)) !== undefined;
}

export function jobLockOf(places: Places): string {
  return join(places.run, 'job.lock');
}

export function endFileOf(id: string, places: Places): string {
  return join(places.run, `job-${id}.end`);
}

const endSchema = v.looseObject({ program: v.string(), exitCode: v.number(), lastLine: v.string() });

/** The end that the program noted: the last line of its file. Undefined where there is none. */
export function readEnd({ id }: Pick<Job, 'id'>, places: Places): JobEnd | undefined {
  try {
    const lines = readFileSync(endFileOf(id, places), 'utf8').trimEnd().split('\n');
    return v.parse(endSchema, JSON.parse(lines.at(-1) ?? ''));
  } catch {
    return undefined;
  }
}
