import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { basename, join } from 'node:path';
import { compiledPrograms } from '../support/build/compiled-programs.ts';
import { Scene } from '../support/scene/scene.ts';
import { peakBytesOf, type Run, run, runScript } from './measure.ts';

/** A file on a server, and who fetches it: the compiled update.sh, with a RAUC that only looks; and curl. */

const mebibyte = 1024 * 1024;
const serverProgram = join(import.meta.dir, 'programs/serve-file.ts');
/** Done, reboot needed. */
const installed = 4;

export interface FetchStage extends Disposable {
  scene: Scene;
  source: string;
  update: string;
}

export async function openFetchStage(mebibytes: number): Promise<FetchStage> {
  const scene = new Scene();
  const programs = await compiledPrograms({ architecture: 'x64' });
  scene.write('root/etc/rauc/system.conf', '[system]\ncompatible=jetson-nano-homie\n');
  scene.write('rauc-info.json', '{"compatible":"jetson-nano-homie","version":"1.1.0"}');
  scene.write('rauc-install.sh', 'true');
  const source = scene.at('source');
  const descriptor = openSync(source, 'w');
  const block = Buffer.alloc(mebibyte);
  for (let count = 0; count < mebibytes; count += 1) {
    for (let from = 0; from < block.length; from += 65_536)
      crypto.getRandomValues(block.subarray(from, from + 65_536));
    writeSync(descriptor, block);
  }
  closeSync(descriptor);
  return {
    scene,
    source,
    update: join(programs, 'update.sh'),
    [Symbol.dispose]: () => scene[Symbol.dispose](),
  };
}

/** A server in a process of its own, `within` what is put before the command. */
export async function serve(
  source: string,
  address: string,
  within: readonly string[] = [],
): Promise<{ url: string } & AsyncDisposable> {
  const child = Bun.spawn([...within, process.execPath, serverProgram, source, address], {
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'inherit',
  });
  const { value } = await child.stdout.getReader().read();
  const port = Buffer.from(value ?? [])
    .toString()
    .trim();
  return {
    url: `http://${address}:${port}/latest.raucb`,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await child.exited;
    },
  };
}

/** With `isSynced` the file is on disk in the end, as update.sh has it. */
export async function fetchByCurl(
  { scene }: FetchStage,
  url: string,
  { within = [], isSynced = true }: { within?: readonly string[]; isSynced?: boolean } = {},
): Promise<Run> {
  const target = scene.at('by-curl');
  const curl = [...within, 'curl', '--silent', '--fail', '--noproxy', '*', '-o', target, url];
  const sync = isSynced ? ` && sync '${target}'` : '';
  try {
    return await runScript(`"$@"${sync}`, { words: curl });
  } finally {
    rmSync(target, { force: true });
  }
}

export interface FetchRun extends Run {
  /** From its line *Fetching* to its line *Fetched*, by the clock of its log. */
  transferSeconds: number;
}

export async function fetchByUpdate(
  { scene, update }: FetchStage,
  url: string,
  within: readonly string[] = [],
): Promise<FetchRun> {
  scene.configure({ reserve_mib: 0, url });
  const ended = await run([...within, update, '--force'], { env: environmentOf(scene), exitCode: installed });
  const log = scene.read('data/logs/update.log');
  const timeOf = (word: string): number =>
    Date.parse(
      log
        .match(new RegExp(`^(\\S+) update\\.sh: ${word} "http`, 'gm'))
        ?.at(-1)
        ?.split(' ')[0] ?? '',
    );
  return { ...ended, transferSeconds: (timeOf('Fetched') - timeOf('Fetching')) / 1000 };
}

export function fetchPeak({ scene, update }: FetchStage, url: string): Promise<number> {
  scene.configure({ reserve_mib: 0, url });
  return peakBytesOf([update, '--force'], { env: environmentOf(scene), exitCode: installed });
}

/** In memory, as /run is on a device. */
function runFolderOf(scene: Scene): string {
  return join('/dev/shm', basename(scene.path));
}

export function environmentOf(scene: Scene): Record<string, string> {
  return {
    PATH: `${scene.at('bin')}:/usr/sbin:/usr/bin:/sbin:/bin`,
    HOMIE_DATA: scene.places.data,
    HOMIE_ROOT: scene.places.root,
    HOMIE_RUN: runFolderOf(scene),
  };
}
