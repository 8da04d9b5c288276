import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { project } from '../../../shared/packaging/project.ts';
import { seed } from '../seed.ts';
import { type Tier, tier } from '../tier.ts';
import { readTested, type Tested } from './commit.ts';

/** What every report begins with: of what, how much was to be proved, and when. */
export interface ReportHead extends Tested {
  seed: number;
  tier: Tier;
  date: string;
}

/**
 * Puts `reports/<name>.json` in place whole, the head first; `name` may have a folder. A report is written by its suite
 * only. The counts and seconds in `body` are the suite's, as is `format` where it is not 1.
 */
export function writeReport(name: string, body: object, folder: string = project.reports): void {
  const file = reportFile(name, folder);
  mkdirSync(dirname(file), { recursive: true });
  const part = `${file}.part-${process.pid}`;
  writeFileSync(part, `${JSON.stringify({ format: 1, ...reportHead(), ...body }, undefined, 2)}\n`);
  renameSync(part, file);
}

/** Before a suite begins, so that one that dies leaves none of an earlier run. */
export function removeReport(name: string, folder: string = project.reports): void {
  rmSync(reportFile(name, folder), { force: true });
}

export function reportHead(): ReportHead {
  tested ??= readTested();
  return { ...tested, seed, tier, date: new Date().toISOString() };
}
let tested: Tested | undefined;

function reportFile(name: string, folder: string): string {
  return join(folder, `${name}.json`);
}
