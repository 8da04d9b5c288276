import { Deadline, pause } from '../../system/deadline.ts';
import { seconds } from '../../system/process/command.ts';
import { steadyMs } from '../../system/steady-clock.ts';
import type { Log } from '../../system/terminal/log.ts';
import type { HealthCheck } from './check.ts';
import { type Report, runChecks } from './run-checks.ts';
import { type Baseline, judge, type Verdict } from './verdict.ts';

export interface WaitOptions {
  checks: readonly HealthCheck[];
  baseline?: Baseline;
  /** Time until the system has to be healthy. */
  deadlineMs: number;
  /** How long it then has to stay healthy; a system that is healthy in time gets this time in addition. */
  settleMs: number;
  log: Log;
  signal: AbortSignal;
}

const shortestPauseMs = 300;
const longestPauseMs = 5_000;

/**
 * The pause after an unhealthy round that took so many milliseconds: as long as the round, within bounds. So rounds of
 * up to 5 s take at most half of the time of a slow board that is still starting, where an abandoned check may still
 * run in its container.
 */
export function pauseAfter(roundMs: number): number {
  return Math.min(Math.max(roundMs, shortestPauseMs), longestPauseMs);
}

/**
 * Runs the checks until all required ones have passed in two rounds at least `settleMs` apart, and in each round
 * between, or until the deadline is over; then returns the last round's verdict.
 */
export async function waitUntilHealthy(options: WaitOptions): Promise<Verdict> {
  const { checks, baseline = {}, settleMs, log, signal } = options;
  const deadline = new Deadline(options.deadlineMs);
  let settling: Deadline | undefined;
  let told = '';
  log.info(`Waiting until all is healthy, ${seconds(options.deadlineMs)} at most`);
  for (;;) {
    const startMs = steadyMs();
    const report = await runChecks(checks, signal);
    const roundMs = steadyMs() - startMs;
    const verdict = judge(report, baseline);
    if (verdict.isHealthy && settling?.isOver === true) return tell(verdict, report, log);
    if (!verdict.isHealthy && deadline.isOver) return tell(verdict, report, log);
    const words = verdict.isHealthy ? `Healthy, to stay so for ${seconds(settleMs)}` : verdict.reason;
    if (words !== told) log.info(verdict.isHealthy ? words : `Not healthy yet: ${words}`);
    told = words;
    settling = verdict.isHealthy ? (settling ?? new Deadline(settleMs)) : undefined;
    const leftMs = settling?.leftMs ?? deadline.leftMs;
    const pauseMs = verdict.isHealthy ? shortestPauseMs : pauseAfter(roundMs);
    await pause(Math.min(pauseMs, Math.max(leftMs, 1)), signal);
  }
}

function tell(verdict: Verdict, report: Report, log: Log): Verdict {
  const names = Object.keys(report).join(', ');
  if (verdict.isHealthy) log.info(`Healthy, according to: ${names === '' ? 'no checks' : names}`);
  for (const line of verdict.excused) log.warn(`Broken before the update already: ${line}`);
  for (const line of verdict.unfulfilled) log.warn(`Wanted, but not required: ${line}`);
  return verdict;
}
