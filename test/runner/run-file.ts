import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Case, readCases } from './junit.ts';
import { kindOf } from './kinds.ts';
import type { Lane } from './lane.ts';

/** The result of one test file. */
export interface FileRun {
  file: string;
  lane: string;
  cases: readonly Case[];
  /** Why it proves nothing beyond what its cases say. */
  trouble?: string;
  seconds: number;
  /** Of the processors, its children that it waited for among them. */
  cpuSeconds: number;
  /** A file with all that it said, unless that went to our terminal. */
  log?: string;
}

export interface Desk {
  root: string;
  /** Where logs and JUnit's XML are put: `junit/<file>.xml`, `logs/<file>.log`. */
  reports: string;
  bun: string;
  env: Readonly<Record<string, string | undefined>>;
  /** Runs each file in a mount namespace of its own: no engine that starts beside it holds its mounts. Needs root. */
  hasNamespaces: boolean;
  /** An empty folder, where each file that needs no real disk has its temporary files in memory. */
  memory?: string;
  /** On our terminal as it comes, not into a log. */
  isAloud: boolean;
  signal: AbortSignal;
}

/** A process of its own for each file: none meets what another has left, and what dies is this one only. */
export async function runFile(desk: Desk, lane: Lane, file: string, turn = 1): Promise<FileRun> {
  const own = file.replace(/^test\//, '').replace(/\.test\.ts$/, '');
  const name = lane.times === 1 ? own : join('repeat', `${own}-${turn}`);
  const junit = join(desk.reports, 'junit', `${name}.xml`);
  const log = join(desk.reports, 'logs', `${name}.log`);
  for (const path of [junit, log]) {
    mkdirSync(dirname(path), { recursive: true });
    rmSync(path, { force: true });
  }
  const started = performance.now();
  const { ended, cpuSeconds } = await spawn(
    desk,
    lane,
    isInMemory(file) ? desk.memory : undefined,
    [`./${file}`, '--reporter=junit', `--reporter-outfile=${junit}`],
    log,
  );
  const seconds = Math.round((performance.now() - started) / 10) / 100;
  const cases = existsSync(junit) ? readCases(readFileSync(junit, 'utf8')) : [];
  const trouble = troubleOf(ended, cases);
  return {
    file,
    lane: lane.name,
    cases,
    seconds,
    cpuSeconds,
    ...(desk.isAloud ? {} : { log }),
    ...(trouble === undefined ? {} : { trouble }),
  };
}

async function spawn(
  desk: Desk,
  lane: Lane,
  memory: string | undefined,
  words: readonly string[],
  log: string,
): Promise<{ ended: string; cpuSeconds: number }> {
  const preload = join(import.meta.dir, 'own-orphans.ts');
  const flags = ['--no-orphans', '--preload', preload, '--timeout', String(lane.timeoutMs), ...lane.flags];
  const output = desk.isAloud ? undefined : openSync(log, 'w');
  try {
    const child = Bun.spawn([...wrapped(desk, lane, memory), desk.bun, 'test', ...flags, ...words], {
      cwd: desk.root,
      env: { ...desk.env, ...lane.env, ...(memory === undefined ? {} : { TMPDIR: memory }) },
      stdin: 'ignore',
      stdout: output ?? 'inherit',
      stderr: output ?? 'inherit',
    });
    const end = (): void => child.kill('SIGTERM');
    desk.signal.addEventListener('abort', end);
    if (desk.signal.aborted) end();
    await child.exited;
    desk.signal.removeEventListener('abort', end);
    const cpuSeconds = Math.round(Number(child.resourceUsage()?.cpuTime.total ?? 0) / 10_000) / 100;
    return { ended: String(child.signalCode ?? child.exitCode), cpuSeconds };
  } finally {
    if (output !== undefined) closeSync(output);
  }
}

const mountAndRun = 'mount -t tmpfs -o mode=1777 tmpfs "$1" && shift && exec "$@"';

function wrapped({ hasNamespaces }: Desk, { niceness }: Lane, memory: string | undefined): string[] {
  return [
    ...(niceness === 0 ? [] : ['nice', '-n', String(niceness)]),
    ...(hasNamespaces ? ['unshare', '--mount', '--propagation', 'private', '--'] : []),
    ...(memory === undefined ? [] : ['sh', '-c', mountAndRun, 'sh', memory]),
  ];
}

/** What makes images, or has an engine or a board, needs more room, and a disk like that of a device. */
function isInMemory(file: string): boolean {
  return (
    ['quick', 'all', 'deep'].includes(kindOf(file)) &&
    !/^test\/(rig|packaging|compiled|lab|fleet|newcomer)\//.test(file)
  );
}

function troubleOf(ended: string, cases: readonly Case[]): string | undefined {
  if (cases.length === 0) return `ran no test, and ended with ${ended}`;
  if (ended !== '0' && !cases.some(({ outcome }) => outcome === 'failed')) return `ended with ${ended}`;
  return undefined;
}
