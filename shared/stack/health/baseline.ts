import * as v from 'valibot';
import { pause } from '../../system/deadline.ts';
import type { HealthCheck } from './check.ts';
import { runChecks } from './run-checks.ts';
import { type Baseline, failingInBoth } from './verdict.ts';

/** Between two looks: a container that crashes and comes back is seen to do so. */
const betweenLooksMs = 1_000;

const baselineSchema = v.record(
  v.string(),
  v.object({
    isHealthy: v.literal(false),
    reason: v.string(),
    faults: v.exactOptional(v.record(v.string(), v.string())),
  }),
);

/**
 * What is broken before the update: what fails at two looks in a row, after a first one that only notes how often
 * each container has restarted. What fails just once would excuse what the update breaks.
 */
export async function takeBaseline(checks: readonly HealthCheck[], signal: AbortSignal): Promise<Baseline> {
  const first = await runChecks(checks, signal);
  if (Object.values(first).every(({ result }) => result.isHealthy)) return {};
  await pause(betweenLooksMs, signal);
  const second = await runChecks(checks, signal);
  await pause(betweenLooksMs, signal);
  return failingInBoth(second, await runChecks(checks, signal));
}

/** Reads one back; what is no baseline excuses nothing. */
export function parseBaseline(content: unknown): Baseline {
  const parsed = v.safeParse(baselineSchema, content);
  return parsed.success ? parsed.output : {};
}
