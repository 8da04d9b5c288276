import * as v from 'valibot';
import { pause } from '../../system/deadline.ts';
import type { HealthCheck } from './check.ts';
import { runChecks } from './run-checks.ts';
import { type Baseline, failingInBoth } from './verdict.ts';

/** The pause between two rounds: it makes a container that crashes and restarts visible. */
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
 * What is broken before the update: the checks that fail in two rounds in a row, after a first round that only notes
 * how often each container has restarted. A check that fails only once would excuse a fault of the update.
 */
export async function takeBaseline(checks: readonly HealthCheck[], signal: AbortSignal): Promise<Baseline> {
  const first = await runChecks(checks, signal);
  if (Object.values(first).every(({ result }) => result.isHealthy)) return {};
  await pause(betweenLooksMs, signal);
  const second = await runChecks(checks, signal);
  await pause(betweenLooksMs, signal);
  return failingInBoth(second, await runChecks(checks, signal));
}

/** Reads a saved baseline; invalid content excuses nothing. */
export function parseBaseline(content: unknown): Baseline {
  const parsed = v.safeParse(baselineSchema, content);
  return parsed.success ? parsed.output : {};
}
