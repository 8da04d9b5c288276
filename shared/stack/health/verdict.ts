import type { CheckResult, Unhealthy } from './check.ts';
import type { Report } from './run-checks.ts';

/** What failed before the update already, by the check's name: plain JSON. */
export type Baseline = Readonly<Record<string, Unhealthy>>;

/** Each line is `name: reason`. */
export type Verdict = {
  /** Required, but broken before the update already: not the update's fault. */
  excused: readonly string[];
  /** Only wanted. */
  unfulfilled: readonly string[];
} & ({ isHealthy: true } | { isHealthy: false; reason: string });

/** What the checks' answers mean for the update. */
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

/** The lines of all that failed, whoever's fault it is. */
export function failuresIn(report: Report): string[] {
  return Object.entries(report).flatMap(([name, { result }]) =>
    result.isHealthy ? [] : [`${name}: ${result.reason}`],
  );
}

/** What failed in both, with the later reasons: a check that fails now and then is no excuse. */
export function failingInBoth(earlier: Report, later: Report): Baseline {
  const both = Object.entries(later).flatMap(([name, { result }]) => {
    const before: CheckResult | undefined = earlier[name]?.result;
    return result.isHealthy || before === undefined || before.isHealthy ? [] : [[name, result] as const];
  });
  return Object.fromEntries(both);
}

/** Where the check says what it found wrong, each of these was broken before or was not. */
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
