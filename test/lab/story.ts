import { test } from 'bun:test';
import { reportStory } from './report.ts';

/** A test whose outcome stands in `reports/lab.json`, too. */
export function story(name: string, live: () => Promise<void>, timeoutMs = 600_000): void {
  test(
    name,
    async () => {
      const started = performance.now();
      let outcome: 'passed' | 'failed' = 'failed';
      try {
        await live();
        outcome = 'passed';
      } finally {
        reportStory({ name, outcome, seconds: Math.round((performance.now() - started) / 100) / 10 });
      }
    },
    timeoutMs,
  );
}
