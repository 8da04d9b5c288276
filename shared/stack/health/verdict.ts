import type { HealthResult, Unhealthy } from './check.ts';
import type { Report } from './run-checks.ts';

/** The checks that already failed before the update, by name: plain JSON. */
export type Baseline = Readonly<Record<string, Unhealthy>>;

/** Each line is `name: reason`. */
export type Verdict = {
  /** Required, but already broken before the update: not the update's fault. */
  excused: readonly string[];
  /** Failed, but not required. */
  unfulfilled: readonly string[];
} & ({ isHealthy: true } | { isHealthy: false; reason: string });

/** Decides from the results of the checks whether the update is healthy. */
export function judge(report: Report, baseline: Baseline = {}): Verdict {
  const failing: string[] = [];
  const excused: string[] = [];
  const unfulfilled: string[] = [];
  for (const [name, { isRequired, result }] of Object.entries(report)) {
    if (result.isHealthy) continue;
    if (!isRequired) {
      unfulfilled.push(`${name}: ${result.reason}`);
      continue;
    }
    const { fresh, old } = compare(result, Object.hasOwn(baseline, name) ? baseline[name] : undefined);
    if (fresh !== undefined) failing.push(`${name}: ${fresh}`);
    if (old !== undefined) excused.push(`${name}: ${old}`);
  }
  return failing.length === 0
    ? { isHealthy: true, excused, unfulfilled }
    : { isHealthy: false, reason: failing.join('; '), excused, unfulfilled };
}

/** One line for each failed check, excused or not. */
export function failuresIn(report: Report): string[] {
  return Object.entries(report).flatMap(([name, { result }]) =>
    result.isHealthy ? [] : [`${name}: ${result.reason}`],
  );
}

/** The checks that failed in both reports, with the later reasons: a check that fails now and then excuses nothing. */
export function failingInBoth(earlier: Report, later: Report): Baseline {
  const both = Object.entries(later).flatMap(([name, { result }]) => {
    const before: HealthResult | undefined = earlier[name]?.result;
    return result.isHealthy || before === undefined || before.isHealthy ? [] : [[name, result] as const];
  });
  return Object.fromEntries(both);
}

/** If the check lists its faults, separates the new ones from those that existed before. */
function compare(now: Unhealthy, before: Unhealthy | undefined): { fresh?: string; old?: string } {
  if (before === undefined) return { fresh: now.reason };
  if (now.faults === undefined || before.faults === undefined) return { old: now.reason };
  const known = before.faults;
  const lines = Object.entries(now.faults);
  const fresh = lines.filter(([what]) => !Object.hasOwn(known, what)).map(([, line]) => line);
  const old = lines.filter(([what]) => Object.hasOwn(known, what)).map(([, line]) => line);
  return {
    ...(fresh.length === 0 ? {} : { fresh: fresh.join(', ') }),
    ...(old.length === 0 ? {} : { old: old.join(', ') }),
  };
}
