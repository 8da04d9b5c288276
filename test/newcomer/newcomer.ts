import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { isRoot } from '../../shared/packaging/commands/as-root.ts';
import { onHost, usualPath } from '../../shared/packaging/device/host.ts';
import { project } from '../../shared/packaging/project.ts';
import { Failure, reasonOf } from '../../shared/system/failure.ts';
import { type Running, runProgram } from '../../shared/system/process/program.ts';
import { formatTested, readTested } from '../support/report/commit.ts';
import { seed } from '../support/seed.ts';
import { documentHosts } from './document.ts';
import { cloneFolder, environmentOf, type Host, makeHost, nameOf } from './host.ts';
import { addHost, type Tried } from './hosts-report.ts';
import { type Line, type Plan, readPlan } from './plan.ts';

/**
 * `npm run test:newcomer -- [--suite bookworm|trixie] [--as root|user|container] [whole | LINE...]`: the last commit, cloned
 * into a Debian that has node and npm and nothing else, started and tested there with no keyboard; its reports are kept in
 * `reports/`. `whole` runs all of `npm test`, the quick tier, else what of it takes a minute; lines of your own are run
 * instead, as in `-- 'npm start' 'npm run test:lab'`.
 */

const dayMs = 24 * 60 * 60_000;

/** What leads to the packages from behind a proxy, or to a mirror; all else of our environment stays outside. */
const handedOn = /^(https?_proxy|no_proxy|node_extra_ca_certs|npm_config_(registry|cafile))$/i;

async function visit({ host, lines }: Plan, running: Running): Promise<void> {
  const { log, undo, signal } = running;
  mkdirSync(project.cache, { recursive: true });
  const work = mkdtempSync(join(project.cache, 'newcomer-'));
  undo.owe('remove the root', () => rmSync(work, { recursive: true, force: true }), 5 * 60_000);
  undo.owe('detach loop devices', () => detachLoops(work));
  const root = join(work, 'root');
  await log.step('Making', 'Made', `${nameOf(host)}, with node and npm`, () => makeHost(root, host, signal));
  const tried: Tried[] = [];
  for (const line of lines) {
    const started = performance.now();
    const { exitCode, isGood } = await typeIn(root, host, line, running);
    keepReports(join(root, cloneFolder(host)));
    const seconds = Math.round((performance.now() - started) / 1000);
    tried.push({ line: line.line, exitCode, isGood, seconds });
    addHost(nameOf(host), tried);
    if (!isGood) throw new Failure(`Cannot pass: "${line.line}" ended with ${exitCode}, see above`);
    log.info(`"${line.line}" ended with ${exitCode}, as it should, in ${seconds} s`);
    const left = await loopsBelow(work);
    if (left.length > 0) throw new Failure(`Cannot pass: "${line.line}" leaves ${left.join(', ')} behind`);
  }
}

/** On our terminal but for the keyboard: there is none. */
async function typeIn(
  root: string,
  host: Host,
  { line, exitCode: expected, last }: Line,
  { signal, undo }: Running,
): Promise<{ exitCode: number; isGood: boolean }> {
  const handed = Object.entries(process.env).filter(([name]) => handedOn.test(name));
  const namespaces = ['--mount', '--pid', '--fork', '--kill-child'];
  const inside = ['sh', join(import.meta.dir, 'inside.sh'), root, cloneFolder(host), host.as];
  const environment = environmentOf(host);
  // What enters the root needs the sbin folders; what is typed there has the user's PATH.
  const typed = ['env', `PATH=${environment['PATH']}`, ...line.split(' ')];
  const child = Bun.spawn(['unshare', ...namespaces, ...inside, ...typed], {
    env: { ...Object.fromEntries(handed), ...ofThisCommit(), ...environment, PATH: usualPath },
    stdio: ['ignore', 'inherit', 'pipe'],
    signal,
    // unshare lets no other signal end it; its namespaces, and all that runs in them, end with it.
    killSignal: 'SIGKILL',
  });
  const end = undo.owe('end what runs in the root', async () => {
    child.kill('SIGKILL');
    await child.exited;
  });
  const lastLine = await passOn(child.stderr);
  const exitCode = await child.exited;
  end.drop();
  return { exitCode, isGood: exitCode === expected && (last === undefined || last.test(lastLine)) };
}

/** Shows what a program says on stderr while it says it; its last line. */
async function passOn(stderr: ReadableStream<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let tail = '';
  for await (const chunk of stderr) {
    process.stderr.write(chunk);
    tail = `${tail}${decoder.decode(chunk, { stream: true })}`.slice(-4096);
  }
  return tail.trimEnd().split('\n').at(-1) ?? '';
}

/** There is no git inside. The clone has only the commit, and no other files of our folder. */
function ofThisCommit(): Record<string, string> {
  return { HOMIE_SEED: String(seed), HOMIE_COMMIT: formatTested({ ...readTested(), isDirty: false }) };
}

/** What the tests wrote down outlives the root. */
function keepReports(clone: string): void {
  const reports = join(clone, 'reports');
  if (existsSync(reports)) cpSync(reports, project.reports, { recursive: true });
}

async function loopsBelow(folder: string): Promise<string[]> {
  const { stdout } = await onHost()`losetup --list --noheadings --output NAME,BACK-FILE`;
  return stdout.split('\n').flatMap((row) => (row.includes(folder) ? [row.split(' ')[0] ?? ''] : []));
}

async function detachLoops(folder: string): Promise<void> {
  for (const loop of await loopsBelow(folder)) await onHost()`losetup --detach ${loop}`;
}

function planned(args: readonly string[]): Plan {
  try {
    return readPlan(args);
  } catch (error) {
    throw new Failure(`Cannot visit a host: ${reasonOf(error)}`, { outcome: 'usage' });
  }
}

await runProgram({ name: 'newcomer', deadlineMs: dayMs }, async (running) => {
  if (process.argv[2] === 'document') {
    documentHosts();
    return 'done';
  }
  const plan = planned(process.argv.slice(2));
  if (!isRoot()) {
    throw new Failure('Cannot make a root file system: it needs root', { outcome: 'usage' });
  }
  await visit(plan, running);
  return 'done';
});
