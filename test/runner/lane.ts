import type { Run } from './words.ts';

/** Test files that are run in the same way, so many at a time. */
export interface Lane {
  name: string;
  files: readonly string[];
  atOnce: number;
  niceness: number;
  /** Of one test that says nothing of its own. */
  timeoutMs: number;
  flags: readonly string[];
  env: Readonly<Record<string, string>>;
  /** How often each file is run. */
  times: number;
  /** Keeps the machine busy as long as the lane runs. */
  load: readonly string[];
}

/** Stages come one after another, the lanes of one side by side; some lanes lie beside all stages. */
export interface Plan {
  run: Run;
  beside: readonly Lane[];
  stages: readonly (readonly Lane[])[];
}

export function laneOf(name: string, files: readonly string[], wish: Partial<Lane> = {}): Lane {
  return {
    name,
    files,
    atOnce: 1,
    niceness: 0,
    timeoutMs: 120_000,
    flags: [],
    env: {},
    times: 1,
    load: [],
    ...wish,
  };
}
