import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { project } from '../../shared/packaging/project.ts';
import { columns } from '../../shared/system/terminal/columns.ts';
import { print } from '../../shared/system/terminal/print.ts';
import { programVersion } from '../../shared/system/version.ts';
import type { Row } from './row.ts';

/**
 * What the project claims, measured: `npm run bench`, or `npm run bench -- NAME…` for some of it. Prints a table and
 * keeps it in docs/bench.json; what is not measured this time stays there as it was, with its date.
 */

/** A point answers with the rows of its table. */
export type Point = (tell: (line: string) => void) => Promise<Row[]>;

const points: Readonly<Record<string, { title: string; load: () => Promise<Point> }>> = {
  size: {
    title: 'What the programs add to a bundle',
    load: async () => (await import('./size.ts')).measureSize,
  },
  start: {
    title: 'Start of the programs, and an install-check that passes',
    load: async () => (await import('./start.ts')).measureStart,
  },
  install: {
    title: 'rauc install with our hooks, with none, and with the scripts of the guide',
    load: async () => (await import('./install.ts')).measureInstall,
  },
  backup: {
    title: 'Backup and restore',
    load: async () => (await import('./backup.ts')).measureBackup,
  },
  fetch: {
    title: 'Fetching against curl, on loopback',
    load: async () => (await import('./fetch.ts')).measureFetch,
  },
  line: {
    title: 'Fetching against curl, over 20 Mbit/s with 80 ms and 1 % loss',
    load: async () => (await import('./line.ts')).measureLine,
  },
  verdict: {
    title: 'From healthy to committed, against sleep 30',
    load: async () => (await import('./verdict.ts')).measureVerdict,
  },
  downtime: {
    title: 'Downtime of /health in a good update',
    load: async () => (await import('./downtime.ts')).readDowntime,
  },
  build: {
    title: 'Building a bundle, and what it takes',
    load: async () => (await import('./build.ts')).measureBuild,
  },
};

const file = join(project.root, 'docs', 'bench.json');

interface Measured {
  title: string;
  date: string;
  /** The average number of programs that wanted to run, in the minute before: others' work on the machine. */
  loadBefore: number;
  seconds: number;
  rows: Row[];
}

async function main(): Promise<void> {
  const asked = process.argv.slice(2);
  const unknown = asked.filter((name) => points[name] === undefined);
  if (unknown.length > 0) {
    print(2, `Cannot measure "${unknown.join(' ')}": there are ${Object.keys(points).join(', ')}\n`);
    process.exit(2);
  }
  let hasFailed = false;
  for (const [name, { title, load }] of Object.entries(points)) {
    if (asked.length > 0 && !asked.includes(name)) continue;
    print(1, `\n${name}: ${title}\n`);
    const loadBefore = Number((loadavg()[0] ?? 0).toFixed(1));
    const startedMs = performance.now();
    try {
      const rows = await (await load())((line) => print(1, `  ${line}\n`));
      const seconds = Math.round((performance.now() - startedMs) / 1000);
      // Read again: another run may have measured another point meanwhile.
      const measured = readMeasured();
      measured[name] = { title, date: new Date().toISOString(), loadBefore, seconds, rows };
      print(1, `${table(rows)}\n`);
      keep(measured);
    } catch (error) {
      hasFailed = true;
      print(
        2,
        `Cannot measure "${name}": ${error instanceof Error ? (error.stack ?? error.message) : error}\n`,
      );
    }
  }
  process.exit(hasFailed ? 1 : 0);
}

function readMeasured(): Record<string, Measured> {
  if (!existsSync(file)) return {};
  return JSON.parse(readFileSync(file, 'utf8')).points;
}

function keep(measured: Record<string, Measured>): void {
  const inOrder = Object.keys(points).flatMap((name) => {
    const point = measured[name];
    return point === undefined ? [] : [[name, point] as const];
  });
  const report = {
    format: 1,
    date: new Date().toISOString(),
    machine: {
      processor: cpus()[0]?.model.trim() ?? 'unknown',
      processors: cpus().length,
      memoryMiB: Math.round(totalmem() / 1024 / 1024),
      kernel: release(),
      architecture: process.arch,
    },
    versions: {
      'homie-rauc': programVersion,
      bun: Bun.version,
      ...Object.fromEntries(['archiver', 'ky', 'yargs', 'zx'].map((name) => [name, versionInLock(name)])),
      node: firstLine('node', '--version'),
      curl: firstLine('curl', '--version'),
      tar: firstLine('tar', '--version'),
      zstd: firstLine('zstd', '--version'),
      rauc: firstLine('rauc', '--version'),
    },
    points: Object.fromEntries(inOrder),
  };
  writeFileSync(file, `${JSON.stringify(report, undefined, 2)}\n`);
}

function versionInLock(name: string): string {
  const lock = JSON.parse(readFileSync(join(project.root, 'package-lock.json'), 'utf8'));
  return lock.packages[`node_modules/${name}`].version;
}

function firstLine(program: string, argument: string): string {
  return (
    execFileSync(program, [argument], { encoding: 'utf8', timeout: 20_000 }).split('\n')[0]?.trim() ?? ''
  );
}

function table(rows: readonly Row[]): string {
  const lines = rows.map(({ what, ours, against, ratio, n, goal, isMet }) => [
    what,
    ours,
    against,
    ratio === null ? '' : String(ratio),
    String(n),
    goal ?? '',
    isMet === null ? '' : isMet ? 'met' : 'MISSED',
  ]);
  const notes = rows.flatMap(({ note, what }) => (note === null ? [] : [`  ${what}: ${note}`]));
  const text = columns([['what', 'ours', 'against', 'ratio', 'n', 'goal', ''], ...lines]);
  return notes.length === 0 ? text : `${text}\n${notes.join('\n')}`;
}

await main();
