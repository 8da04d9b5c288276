import { seconds } from '../../system/command.ts';
import { Deadline, pause } from '../../system/deadline.ts';
import type { Log } from '../../system/log.ts';
import type { HealthCheck } from './check.ts';
import { type Report, runChecks } from './run-checks.ts';
import { type Baseline, judge, type Verdict } from './verdict.ts';

export interface WaitOptions {
  checks: readonly HealthCheck[];
  baseline?: Baseline;
  /** To be healthy by then. */
  deadlineMs: number;
  /** And to stay so: whoever is healthy in time has this long on top. */
  settleMs: number;
  log: Log;
  signal: AbortSignal;
}

const pauseMs = 300;

/**
 * Asks until all required checks have passed at two rounds at least `settleMs` apart, and at each in between, or the
 * deadline has come; the last round's verdict is the answer then.
 */
export async function waitUntilHealthy(options: WaitOptions): Promise<Verdict> {
  const { checks, baseline = {}, settleMs, log, signal } = options;
  const deadline = new Deadline(options.deadlineMs);
  let settling: Deadline | undefined;
  let told = '';
  log.info(`Waiting until all is healthy, ${seconds(options.deadlineMs)} at most`);
  for (;;) {
    const report = await runChecks(checks, signal);
    const verdict = judge(report, baseline);
    if (verdict.isHealthy && settling?.isOver === true) return tell(verdict, report, log);
    if (!verdict.isHealthy && deadline.isOver) return tell(verdict, report, log);
    const words = verdict.isHealthy ? `Healthy, to stay so for ${seconds(settleMs)}` : verdict.reason;
    if (words !== told) log.info(verdict.isHealthy ? words : `Not healthy yet: ${words}`);
    told = words;
    settling = verdict.isHealthy ? (settling ?? new Deadline(settleMs)) : undefined;
    const leftMs = settling?.leftMs ?? deadline.leftMs;
    await pause(Math.min(pauseMs, Math.max(leftMs, 1)), signal);
  }
}

function tell(verdict: Verdict, report: Report, log: Log): Verdict {
  const names = Object.keys(report).join(', ');
  if (verdict.isHealthy) log.info(`Healthy, as these say: ${names === '' ? 'no checks' : names}`);
  for (const line of verdict.excused) log.warn(`Broken before the update already: ${line}`);
  for (const line of verdict.unfulfilled) log.warn(`Wanted, but not required: ${line}`);
  return verdict;
}
