import { reasonOf } from '../../system/failure.ts';
import { seconds } from '../../system/process/command.ts';
import { redact } from '../../system/redact.ts';
import { type HealthCheck, type HealthResult, unhealthy } from './check.ts';

interface Checked {
  isRequired: boolean;
  result: HealthResult;
  ms: number;
}

/** The result of each check, by its name. */
export type Report = Readonly<Record<string, Checked>>;

const longestReason = 200;

/** Runs all checks at once, each for at most its budget. Throws only the signal's reason. */
export async function runChecks(checks: readonly HealthCheck[], signal: AbortSignal): Promise<Report> {
  const entries = await Promise.all(
    checks.map(async (check): Promise<[string, Checked]> => {
      const startMs = performance.now();
      const result = shortened(await runInBudget(check, signal));
      const ms = Math.round(performance.now() - startMs);
      return [check.name, { isRequired: check.isRequired, result, ms }];
    }),
  );
  return Object.fromEntries(entries);
}

/** A check that ignores its signal is no longer waited for. */
async function runInBudget({ budgetMs, run }: HealthCheck, signal: AbortSignal): Promise<HealthResult> {
  signal.throwIfAborted();
  const over = Promise.withResolvers<HealthResult>();
  const ending = new AbortController();
  const late = unhealthy(`no answer within ${seconds(budgetMs)}`);
  const timer = setTimeout(() => {
    over.resolve(late);
    ending.abort(new Error(late.reason));
  }, budgetMs);
  const onAbort = (): void => {
    over.reject(signal.reason);
    ending.abort(signal.reason);
  };
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([over.promise, Promise.try(run, ending.signal).catch(asResult)]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
  }
}

function asResult(error: unknown): HealthResult {
  return unhealthy(reasonOf(error));
}

/** A reason is written to the log and to the transaction. */
function shortened(result: HealthResult): HealthResult {
  if (result.isHealthy) return result;
  const { reason, faults } = result;
  return {
    isHealthy: false,
    reason: shortReason(reason),
    ...(faults === undefined ? {} : { faults: mapped(faults, shortReason) }),
  };
}

function mapped(lines: Readonly<Record<string, string>>, change: (line: string) => string) {
  return Object.fromEntries(Object.entries(lines).map(([key, line]) => [key, change(line)]));
}

function shortReason(text: string): string {
  const line = redact(text.trim()).replace(/\s+/g, ' ');
  return line.length > longestReason ? `${line.slice(0, longestReason - 1)}…` : line;
}
