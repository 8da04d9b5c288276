import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { isRoot } from '../../shared/packaging/commands/as-root.ts';
import { onHost, usualPath } from '../../shared/packaging/device/host.ts';
import { project } from '../../shared/packaging/project.ts';
import { Failure } from '../../shared/system/failure.ts';
import { command } from '../../shared/system/process/command.ts';
import { type Running, runProgram } from '../../shared/system/process/program.ts';
import { packageSources } from '../rig/stack/base-root.ts';
import { formatTested, readTested } from '../support/report/commit.ts';
import { seed } from '../support/seed.ts';

/**
 * `npm run test:newcomer`: the last commit, cloned into a Debian 12 that has node and npm and nothing else, started and
 * tested there without a terminal; its reports are kept in `reports/`. `-- whole` runs all of `npm test`, the
 * quick tier, else the part of it that takes a minute; your own lines are run instead, as in `-- 'npm start' 'npm run test:lab'`.
 */

const rootMs = 20 * 60_000;
const dayMs = 24 * 60 * 60_000;
const clone = '/root/homie-rauc';

const quick = ['npm start', 'npm run check', 'npm run coverage'];
const whole = ['npm start', 'npm test'];

/** What leads to the packages from behind a proxy, or to a mirror; all else of our environment stays outside. */
const handedOn = /^(https?_proxy|no_proxy|node_extra_ca_certs|npm_config_(registry|cafile))$/i;

async function visit(lines: readonly string[], running: Running): Promise<void> {
  const { log, undo } = running;
  mkdirSync(project.cache, { recursive: true });
  const work = mkdtempSync(join(project.cache, 'newcomer-'));
  undo.owe('remove the root', () => rmSync(work, { recursive: true, force: true }), 5 * 60_000);
  undo.owe('detach loop devices', () => detachLoops(work));
  const root = join(work, 'root');
  await log.step('Making', 'Made', 'a Debian 12 with node and npm', () => makeRoot(root, running));
  for (const line of lines) {
    const started = performance.now();
    await runInside(root, line, running).finally(() => keepReports(root));
    log.info(`"${line}" passed in ${Math.round((performance.now() - started) / 1000)} s`);
    const left = await loopsBelow(work);
    if (left.length > 0) throw new Failure(`Cannot pass: "${line}" leaves ${left.join(', ')} behind`);
  }
}

async function makeRoot(root: string, { signal }: Running): Promise<void> {
  const run = command({ deadlineMs: rootMs, signal });
  await run`mmdebstrap --quiet --variant=minbase --include=nodejs,npm bookworm ${root} ${packageSources()}`;
  await run`git clone --quiet --no-local ${project.root} ${join(root, clone)}`;
}

/** On our terminal but for the keyboard: there is none. */
async function runInside(root: string, line: string, { signal, undo }: Running): Promise<void> {
  const handed = Object.entries(process.env).filter(([name]) => handedOn.test(name));
  const namespaces = ['--mount', '--pid', '--fork', '--kill-child'];
  const inside = ['sh', join(import.meta.dir, 'inside.sh'), root, clone];
  const child = Bun.spawn(['unshare', ...namespaces, ...inside, ...line.split(' ')], {
    env: {
      ...Object.fromEntries(handed),
      ...ofThisCommit(),
      PATH: usualPath,
      HOME: '/root',
      LANG: 'C.UTF-8',
    },
    stdio: ['ignore', 'inherit', 'inherit'],
    signal,
    // unshare lets no other signal end it; its namespaces, and all that runs in them, end with it.
    killSignal: 'SIGKILL',
  });
  const end = undo.owe('end what runs in the root', async () => {
    child.kill('SIGKILL');
    await child.exited;
  });
  const exitCode = await child.exited;
  end.drop();
  if (exitCode !== 0) throw new Failure(`Cannot pass: "${line}" ended with ${exitCode}, see above`);
}

/** There is no git inside. The clone has only the commit, and no other files of our folder. */
function ofThisCommit(): Record<string, string> {
  return { HOMIE_SEED: String(seed), HOMIE_COMMIT: formatTested({ ...readTested(), isDirty: false }) };
}

/** What the tests wrote down outlives the root. */
function keepReports(root: string): void {
  const reports = join(root, clone, 'reports');
  if (existsSync(reports)) cpSync(reports, project.reports, { recursive: true });
}

async function loopsBelow(folder: string): Promise<string[]> {
  const { stdout } = await onHost()`losetup --list --noheadings --output NAME,BACK-FILE`;
  return stdout.split('\n').flatMap((row) => (row.includes(folder) ? [row.split(' ')[0] ?? ''] : []));
}

async function detachLoops(folder: string): Promise<void> {
  for (const loop of await loopsBelow(folder)) await onHost()`losetup --detach ${loop}`;
}

await runProgram({ name: 'newcomer', deadlineMs: dayMs }, async (running) => {
  const given = process.argv.slice(2);
  const lines = given.length === 0 ? quick : given[0] === 'whole' ? whole : given;
  if (!isRoot()) {
    throw new Failure('Cannot make a root file system: it needs root', { outcome: 'usage' });
  }
  await visit(lines, running);
  return 'done';
});
