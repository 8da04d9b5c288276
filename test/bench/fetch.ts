import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { compilePrograms } from '../../shared/packaging/compile.ts';
import { project } from '../../shared/packaging/project.ts';
import { columns } from '../../shared/system/columns.ts';
import { print } from '../../shared/system/print.ts';
import { honest, type Part, someBytes } from '../support/file-server.ts';
import { HostileServer } from '../support/hostile-server.ts';
import { Scene } from '../support/scene.ts';

/**
 * The compiled update.sh against curl, for the same file of the same server in the same run. curl only writes; the
 * program proves each piece on disk, so curl is measured with one fsync at its end, too. Started by `npm run bench`.
 */

const mebibyte = 1024 * 1024;
const rounds = 3;

interface Setting {
  name: string;
  bytes: number;
  /** Before each answer, as a line that is long. */
  delayMs: number;
  bytesPerSecond?: number;
}

const settings: readonly Setting[] = [
  { name: 'as fast as it goes', bytes: 256 * mebibyte, delayMs: 0 },
  { name: '20 ms before each answer', bytes: 256 * mebibyte, delayMs: 20 },
  { name: '20 ms, 4 MiB/s', bytes: 24 * mebibyte, delayMs: 20, bytesPerSecond: 4 * mebibyte },
];

interface Result {
  name: string;
  bytes: number;
  curlSeconds: number;
  curlSyncedSeconds: number;
  updateSeconds: number;
  /** Of throughput, to curl with its fsync. */
  ratio: number;
}

async function main(): Promise<void> {
  using scene = new Scene();
  const programs = scene.at('programs');
  await compilePrograms(programs, { architecture: 'x64' });
  scene.write('root/etc/rauc/system.conf', '[system]\ncompatible=jetson-nano-homie\n');
  scene.write('rauc-info.json', '{"compatible":"jetson-nano-homie","version":"1.1.0"}');
  scene.write('rauc-install.sh', 'true');
  const results: Result[] = [];
  for (const setting of settings) results.push(await measure(setting, scene, join(programs, 'update.sh')));
  const rows = results.map(({ name, bytes, curlSeconds, curlSyncedSeconds, updateSeconds, ratio }) => [
    name,
    speed(bytes, curlSeconds),
    speed(bytes, curlSyncedSeconds),
    speed(bytes, updateSeconds),
    ratio.toFixed(2),
  ]);
  const title = ['line', 'curl MiB/s', 'curl, fsync', 'update.sh', 'ratio'];
  print(1, `${columns([title, ...rows])}\n`);
  mkdirSync(project.reports, { recursive: true });
  const machine = `${cpus().length} × ${cpus()[0]?.model.trim() ?? 'unknown'}`;
  const report = { format: 1, machine, rounds, results };
  writeFileSync(join(project.reports, 'bench-fetch.json'), `${JSON.stringify(report, undefined, 2)}\n`);
}

/** The median of the rounds, each with curl and the program in turn. */
async function measure(setting: Setting, scene: Scene, program: string): Promise<Result> {
  const file = { bytes: someBytes(setting.bytes), etag: '"x"' };
  const send = (line: Socket, part: Part): Promise<void> => sendSlowly(line, part, setting);
  await using server = await HostileServer.start(
    honest(
      () => file,
      (line, part) => void send(line, part),
    ),
  );
  scene.configure({ reserve_mib: 0, url: server.url });
  const [curl, curlSynced, update]: [number[], number[], number[]] = [[], [], []];
  for (let round = 0; round < rounds; round += 1) {
    const target = scene.at('by-curl');
    const curlSeconds = await timed(
      ['curl', '--silent', '--fail', '--noproxy', '*', '-o', target, server.url],
      scene,
    );
    const startedMs = performance.now();
    const descriptor = openSync(target, 'r');
    fsyncSync(descriptor);
    closeSync(descriptor);
    curl.push(curlSeconds);
    curlSynced.push(curlSeconds + (performance.now() - startedMs) / 1000);
    if (!readFileSync(target).equals(file.bytes)) throw new Error('curl has another file');
    rmSync(target);
    update.push(await timed([program, '--force'], scene, 4));
  }
  const [curlSeconds, curlSyncedSeconds, updateSeconds] = [median(curl), median(curlSynced), median(update)];
  const { name, bytes } = setting;
  return {
    name,
    bytes,
    curlSeconds,
    curlSyncedSeconds,
    updateSeconds,
    ratio: curlSyncedSeconds / updateSeconds,
  };
}

async function sendSlowly(line: Socket, part: Part, setting: Setting): Promise<void> {
  if (setting.delayMs > 0) await Bun.sleep(setting.delayMs);
  line.write(part.head);
  const { bytesPerSecond } = setting;
  if (bytesPerSecond === undefined) {
    line.write(part.bytes);
    return;
  }
  const startedMs = performance.now();
  for (let from = 0; from < part.bytes.length; from += 65_536) {
    const dueMs = (from / bytesPerSecond) * 1000 - (performance.now() - startedMs);
    if (dueMs > 0) await Bun.sleep(dueMs);
    line.write(part.bytes.subarray(from, from + 65_536));
  }
}

/** Seconds that the program takes from its start to its end. */
async function timed(words: string[], scene: Scene, expected = 0): Promise<number> {
  const startedMs = performance.now();
  const child = Bun.spawn(words, {
    cwd: '/',
    env: {
      PATH: `${scene.at('bin')}:/usr/sbin:/usr/bin:/sbin:/bin`,
      HOMIE_DATA: scene.places.data,
      HOMIE_ROOT: scene.places.root,
      HOMIE_RUN: scene.places.run,
    },
    stdin: 'ignore',
    stdout: 'ignore',
    stderr: 'pipe',
  });
  const [exitCode, stderr] = await Promise.all([child.exited, child.stderr.text()]);
  if (exitCode !== expected) throw new Error(`"${words[0]}" ended with ${exitCode}: ${stderr}`);
  return (performance.now() - startedMs) / 1000;
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((one, other) => one - other)[Math.floor(numbers.length / 2)] ?? 0;
}

function speed(bytes: number, seconds: number): string {
  return (bytes / mebibyte / seconds).toFixed(1);
}

await main();
