import { test } from 'bun:test';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { project } from '../../shared/packaging/project.ts';

/** `reports/rig.json`: every scenario of the rig with its outcome and time, for machines to read. */
interface Scenario {
  name: string;
  outcome: 'passed' | 'failed';
  seconds: number;
}

const file = join(project.reports, 'rig.json');

/** A test whose outcome stands in the report, too; an entry of an earlier run is replaced. */
export function scenario(name: string, work: () => Promise<void>, timeoutMs = 180_000): void {
  test(
    name,
    async () => {
      const started = performance.now();
      let outcome: Scenario['outcome'] = 'failed';
      try {
        await work();
        outcome = 'passed';
      } finally {
        const seconds = Math.round((performance.now() - started) / 10) / 100;
        writeScenario({ name, outcome, seconds });
      }
    },
    timeoutMs,
  );
}

function writeScenario(scenario: Scenario): void {
  mkdirSync(project.reports, { recursive: true });
  const others = readScenarios().filter(({ name }) => name !== scenario.name);
  const report = { format: 1, scenarios: [...others, scenario] };
  writeFileSync(file, `${JSON.stringify(report, undefined, 2)}\n`);
}

function readScenarios(): Scenario[] {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).scenarios;
  } catch {
    return [];
  }
}
