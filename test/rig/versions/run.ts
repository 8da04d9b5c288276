import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { useHostPath } from '../../../shared/packaging/device/host.ts';
import { mayHoldFolders } from '../../../shared/packaging/format/rauc-version.ts';
import { project } from '../../../shared/packaging/project.ts';
import { Failure } from '../../../shared/system/failure.ts';
import { type Running, runProgram } from '../../../shared/system/process/program.ts';
import { isRoot } from '../../support/privileges.ts';
import { removeReport, writeReport } from '../../support/report/report.ts';
import { type RaucRelease, raucOf, raucSuites } from './release.ts';

/**
 * `npm run test:rauc -- [bookworm|trixie|sid ...]`: every scenario of the rig with the RAUC of each of these releases of
 * Debian, which packs the bundles, too; the good update also with the other layout of a bundle. `reports/rauc-versions.json`.
 */

const hourMs = 60 * 60_000;
const least = 60;

/** The suites of the rig, and the tests of what RAUC is told; those that need a Docker engine have another name. */
const rig = [...new Bun.Glob('test/{rig,rauc}/*.test.ts').scanSync(project.root)];

interface Tried {
  version: string;
  sha256: string;
  layout: 'flat' | 'folder';
  passed: number;
  failed: number;
  seconds: number;
}

async function tryRelease(release: RaucRelease, running: Running): Promise<Tried[]> {
  const own = mayHoldFolders(release.version) ? 'folder' : 'flat';
  const tried = [await runRig(release, own, rig, running)];
  // A RAUC that takes no folders makes no bundle with one.
  if (own === 'folder') tried.push(await runRig(release, 'flat', ['test/rig/good-update.test.ts'], running));
  return tried;
}

async function runRig(
  { version, sha256, bin }: RaucRelease,
  layout: Tried['layout'],
  names: readonly string[],
  { log, signal }: Running,
): Promise<Tried> {
  const started = performance.now();
  const env = {
    ...process.env,
    PATH: `${bin}:${process.env['PATH']}`,
    HOMIE_RIG: 'native',
    HOMIE_LAYOUT: layout,
  };
  const words = [join(project.root, 'test/run.ts'), 'quick', ...names];
  log.info(`Trying RAUC ${version}, ${layout} bundles`);
  const child = Bun.spawn([process.execPath, ...words], {
    env,
    stdio: ['ignore', 'inherit', 'inherit'],
    signal,
  });
  const exitCode = await child.exited;
  const report: { passed: number; failed: number } = await Bun.file(
    join(project.reports, 'tests-some.json'),
  ).json();
  const seconds = Math.round((performance.now() - started) / 1000);
  const { passed } = report;
  const failed = exitCode === 0 ? 0 : Math.max(1, report.failed);
  return { version, sha256, layout, passed, failed, seconds };
}

await runProgram({ name: 'test:rauc', deadlineMs: hourMs }, async (running) => {
  const { positionals } = parseArgs({ allowPositionals: true });
  const suites = raucSuites.filter((suite) => positionals.length === 0 || positionals.includes(suite));
  if (suites.length < positionals.length)
    throw new Failure(`Cannot try RAUC: one of ${raucSuites.join(', ')} was expected`, { outcome: 'usage' });
  if (!isRoot) throw new Failure('Cannot try RAUC: it needs root', { outcome: 'usage' });
  useHostPath();
  removeReport('rauc-versions');
  const tried: Tried[] = [];
  for (const suite of suites) tried.push(...(await tryRelease(await raucOf(suite, running.signal), running)));
  const passed = tried.reduce((sum, one) => sum + one.passed, 0);
  const failed = tried.reduce((sum, one) => sum + one.failed, 0);
  writeReport('rauc-versions', { least, passed, failed, versions: tried });
  running.log.info(`In all versions: ${passed} passed, ${failed} failed`);
  if (failed > 0 || passed < least) throw new Failure(`Cannot pass: ${failed} failed, see above`);
  return 'done';
});
