import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { project } from '../../shared/packaging/project.ts';

/** `reports/lab.json`: what the emulated board has lived through, for machines to read. */

export interface LabStory {
  name: string;
  outcome: 'passed' | 'failed';
  seconds: number;
}

interface LabReport {
  format: 1;
  /** Environments that the boot script was started from, each held against the model. */
  scriptStates: number;
  stories: readonly LabStory[];
}

const file = join(project.reports, 'lab.json');

export function reportScriptStates(scriptStates: number): void {
  write({ ...read(), scriptStates });
}

/** An entry of an earlier run is replaced. */
export function reportStory(story: LabStory): void {
  const report = read();
  write({ ...report, stories: [...report.stories.filter(({ name }) => name !== story.name), story] });
}

function write(report: LabReport): void {
  mkdirSync(project.reports, { recursive: true });
  writeFileSync(file, `${JSON.stringify(report, undefined, 2)}\n`);
}

function read(): LabReport {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return { format: 1, scriptStates: 0, stories: [] };
  }
}
