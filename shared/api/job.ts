import { readFileSync, rmSync } from 'node:fs';
import { uptime } from 'node:os';
import { join } from 'node:path';
import * as v from 'valibot';
import { exitCodes, type Outcome } from '../system/exit-code.ts';
import { makeFolder, writeDurably } from '../system/files/durable-file.ts';
import type { Places } from '../system/places.ts';
import { lockHolder } from '../system/process/lock.ts';

/**
 * A job is a process of its own: it goes on when the service ends, and the next service finds it again. All that is
 * known of it lies on disk: what was started, a lock that the kernel holds for as long as it runs, and its last words.
 */

const kinds = ['install', 'rollback', 'cancel'] as const;

const jobSchema = v.looseObject({
  format: v.number(),
  id: v.string(),
  kind: v.picklist(kinds),
  /** What is installed; null for all else. */
  source: v.nullable(v.string()),
  /** ISO 8601. */
  startedAt: v.string(),
  /** Since the boot: the clock may be set meanwhile. */
  startedUptimeSeconds: v.number(),
});

export type Job = v.InferOutput<typeof jobSchema>;
export type JobKind = (typeof kinds)[number];
type JobState = 'starting' | 'running' | 'done' | 'failed';

export interface JobStanding {
  state: JobState;
  /** Once it has ended, from the table of exit codes. */
  exitCode?: number;
  outcome?: Outcome;
  /** Why it failed, or its last word. */
  reason?: string;
}

/** How it ended, in the words of its own last line (system/program.ts). */
export interface JobEnd {
  exitCode: number;
  lastLine: string;
}

/** systemd may be slow to start it, on a board that is busy. */
export const startingSeconds = 15;
const vanished = 'it ended without a word; see "journalctl" for what ended it';

export interface JobFacts {
  end: JobEnd | undefined;
  /** Whether the kernel holds its lock. */
  isHeld: boolean;
  ageSeconds: number;
}

export function decideStanding({ end, isHeld, ageSeconds }: JobFacts): JobStanding {
  if (end !== undefined) {
    const { exitCode, lastLine } = end;
    const outcome = outcomeOf(exitCode);
    const isDone = outcome === 'done' || outcome === 'rebootNeeded';
    return { state: isDone ? 'done' : 'failed', exitCode, outcome, reason: lastLine };
  }
  if (isHeld) return { state: 'running' };
  if (ageSeconds < startingSeconds) return { state: 'starting' };
  return { state: 'failed', outcome: 'failed', reason: vanished };
}

export function standingOf(job: Job, places: Places): JobStanding {
  // The lock first: one that is free by now, of a job that has left its last words, is an end and not a loss.
  const isHeld = isJobLocked(places);
  const ageSeconds = uptime() - job.startedUptimeSeconds;
  return decideStanding({ end: readEnd(job, places), isHeld, ageSeconds });
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
  try {
    return v.parse(jobSchema, JSON.parse(readFileSync(join(places.run, jobName), 'utf8')));
  } catch {
    return undefined;
  }
}

export function writeJob(places: Places, job: Job): void {
  makeFolder(places.run);
  writeDurably(join(places.run, jobName), `${JSON.stringify(job)}\n`);
}

/** One that never began is as if nobody had asked. */
export function forgetJob(places: Places): void {
  rmSync(join(places.run, jobName), { force: true });
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

const jobName = 'job.json';
const endSchema = v.looseObject({ program: v.string(), exitCode: v.number(), lastLine: v.string() });

/** What it has said of its end: the last whole line. */
export function readEnd({ id }: Pick<Job, 'id'>, places: Places): JobEnd | undefined {
  try {
    const lines = readFileSync(endFileOf(id, places), 'utf8').trimEnd().split('\n');
    return v.parse(endSchema, JSON.parse(lines.at(-1) ?? ''));
  } catch {
    return undefined;
  }
}

export function outcomeOf(exitCode: number): Outcome {
  for (const [outcome, [code]] of Object.entries(exitCodes)) {
    // Object.entries() forgets that the keys are outcomes.
    if (code === exitCode) return outcome as Outcome;
  }
  return 'failed';
}
