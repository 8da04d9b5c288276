import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The versions of the stack that scenarios update between: the revisions of the database that each brings. */

const slowSteps = 8;

export const releases = {
  /** What a board is delivered with. */
  '1.0.0': ['0001_rooms', '0002_people'],
  /** Changes data so that 1.0.0 cannot work with it. */
  '2.0.0': ['0001_rooms', '0002_people', '0003_split_names'],
  '2.0.1-halffail': ['0001_rooms', '0002_people', '0003_half_failing'],
  /** Eight steps after the second, each of STEP_SECONDS. */
  '2.0.2-slow': ['0001_rooms', '0002_people', ...stepsAfter(2)],
} as const satisfies Record<string, readonly string[]>;

export type Release = keyof typeof releases;

export const releaseNames = Object.keys(releases) as Release[]; // its keys are just these

/** The revision that its migrations end with, and the only one that its core understands. */
export function schemaOf(release: Release): string {
  return releases[release].at(-1)?.slice(0, 4) ?? '';
}

/** Puts the release's revisions into a folder, where alembic finds them. */
export function writeRevisions(release: Release, from: string, to: string): void {
  mkdirSync(to, { recursive: true });
  const template = readFileSync(join(from, 'slow_step.py.in'), 'utf8');
  for (const name of releases[release]) {
    if (!name.endsWith('_step')) {
      cpSync(join(from, `${name}.py`), join(to, `${name}.py`));
      continue;
    }
    const revision = name.slice(0, 4);
    const before = numbered(Number(revision) - 1);
    const text = template.replaceAll('@REVISION@', revision).replaceAll('@BEFORE@', before);
    writeFileSync(join(to, `${name}.py`), text);
  }
}

function stepsAfter(last: number): string[] {
  return Array.from({ length: slowSteps }, (_, index) => `${numbered(last + 1 + index)}_step`);
}

function numbered(revision: number): string {
  return String(revision).padStart(4, '0');
}
