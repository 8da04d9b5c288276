import { expect, test } from 'bun:test';
import { removeReport, writeReport } from './report.ts';

interface Scenario {
  name: string;
  outcome: 'passed' | 'failed';
  seconds: number;
}

/** A test file whose cases stand in a report of its own, each with its outcome and seconds, for machines to read. */
export interface Suite {
  /** A test whose outcome stands in the report, too. */
  scenario(name: string, work: () => Promise<void>, timeoutMs?: number): void;
  /** What else is to stand there. */
  note(facts: Record<string, unknown>): void;
}

export interface SuiteWish {
  /** The report's: `reports/<name>.json`. */
  name: string;
  /** Fewer scenarios prove less than the report promises: a table that has become empty, a loop that never runs. */
  least: number;
  timeoutMs?: number;
  folder?: string;
}

/** Takes the place of an earlier run's report as soon as the first test begins. */
export function suiteOf({ name, least, timeoutMs = 180_000, folder }: SuiteWish): Suite {
  const ran: Scenario[] = [];
  const noted: Record<string, unknown> = {};
  let count = 0;
  const write = (): void => {
    const failed = ran.filter(({ outcome }) => outcome === 'failed').length;
    const seconds = Math.round(ran.reduce((sum, each) => sum + each.seconds, 0) * 10) / 10;
    const counts = { least, passed: ran.length - failed, failed, seconds };
    writeReport(name, { format: 2, ...counts, ...noted, scenarios: ran }, folder);
  };
  test(`${name}.json will have at least ${least} scenarios`, () => {
    removeReport(name, folder);
    expect(count).toBeGreaterThanOrEqual(least);
  });
  return {
    scenario(title, work, ownTimeoutMs = timeoutMs) {
      count += 1;
      const timed = async (): Promise<void> => {
        const started = performance.now();
        let outcome: Scenario['outcome'] = 'failed';
        try {
          await work();
          outcome = 'passed';
        } finally {
          const seconds = Math.round((performance.now() - started) / 10) / 100;
          ran.push({ name: title, outcome, seconds });
          write();
        }
      };
      test(title, timed, ownTimeoutMs);
    },
    note(facts) {
      Object.assign(noted, facts);
      write();
    },
  };
}
