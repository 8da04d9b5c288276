import { test } from 'bun:test';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { project } from '../../shared/packaging/project.ts';

/** `reports/fleet.json`: what was proved against which server, for machines to read. */
interface FleetReport {
  format: 1;
  serverVersion?: string;
  stories: { name: string; outcome: 'passed' | 'failed'; seconds: number }[];
  [fact: string]: unknown;
}

const file = join(project.reports, 'fleet.json');

export function beginReport(serverVersion: string): void {
  write({ ...read(), serverVersion });
}

export function noteFacts(facts: Record<string, unknown>): void {
  write({ ...read(), ...facts });
}

/** A test whose outcome stands in the report. */
export function story(name: string, work: () => Promise<void>, timeoutMs = 900_000): void {
  test(
    name,
    async () => {
      const started = performance.now();
      let outcome: 'passed' | 'failed' = 'failed';
      try {
        await work();
        outcome = 'passed';
      } finally {
        const report = read();
        const seconds = Math.round((performance.now() - started) / 100) / 10;
        write({ ...report, stories: [...report.stories, { name, outcome, seconds }] });
      }
    },
    timeoutMs,
  );
}

function read(): FleetReport {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return { format: 1, stories: [] };
  }
}

function write(report: FleetReport): void {
  mkdirSync(project.reports, { recursive: true });
  writeFileSync(file, `${JSON.stringify(report, undefined, 2)}\n`);
}
