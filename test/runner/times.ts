import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { FileRun } from './run-file.ts';

/** How long each test file took when it last ran here, in seconds. Below .cache/: what git keeps would be of another machine. */
export type Times = Readonly<Record<string, number>>;

export function readTimes(path: string): Times {
  try {
    const read: unknown = JSON.parse(readFileSync(path, 'utf8'));
    return Object.fromEntries(
      Object.entries(read ?? {}).filter((entry): entry is [string, number] => typeof entry[1] === 'number'),
    );
  } catch {
    return {};
  }
}

export function writeTimes(path: string, before: Times, runs: readonly FileRun[]): void {
  // Beside a load they tell nothing.
  const usual = runs.filter(({ lane }) => lane !== 'repeat');
  const times = { ...before, ...Object.fromEntries(usual.map(({ file, seconds }) => [file, seconds])) };
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.part`, `${JSON.stringify(times, undefined, 2)}\n`);
  renameSync(`${path}.part`, path);
}
