import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { project } from '../../shared/packaging/project.ts';
import { columns } from '../../shared/system/terminal/columns.ts';
import { belowFloor, parseLcov, type Reached, shareOf } from './lcov.ts';

/**
 * `npm run coverage`: which lines of shared/ the quick tests reach, and a minimum for modules that decide something. Most of
 * what the programs do is proved by running them as compiled, where lines are not counted: read a room's share as what
 * the tables of decisions reach by themselves.
 */

const floor = 90;

/** In one process each, in seconds: what decides, and what it reads. */
const quick = [
  'test/api/gate.test.ts',
  'test/api/job.test.ts',
  'test/api/source.test.ts',
  'test/api/token.test.ts',
  'test/config',
  'test/data/backups/retention.test.ts',
  'test/fleet/decide-report.test.ts',
  'test/fleet/decide-step.test.ts',
  'test/fleet/words.test.ts',
  'test/hooks/choose-program.test.ts',
  'test/packaging/components/components.test.ts',
  'test/packaging/lint/lint-certificate.test.ts',
  'test/packaging/lint/lint.test.ts',
  'test/packaging/bundle/manifest.test.ts',
  'test/rauc/bundle-facts.test.ts',
  'test/rauc/hook-environment.test.ts',
  'test/rauc/info.test.ts',
  'test/rauc/key-file.test.ts',
  'test/rauc/status.test.ts',
  'test/rauc/system-conf.test.ts',
  'test/stack/compose-config.test.ts',
  'test/stack/health',
  'test/stack/images/image-parts.test.ts',
  'test/stack/migrations-progress.test.ts',
  'test/stack/images/pull-trouble.test.ts',
  'test/system/failure.test.ts',
  'test/system/files/rooted-path.test.ts',
  'test/system/redact.test.ts',
  'test/system/terminal/arguments.test.ts',
  'test/system/terminal/columns.test.ts',
  'test/transfer/request/credentials.test.ts',
  'test/transfer/download/decide-answer.test.ts',
  'test/transfer/source/source.test.ts',
  'test/update',
];

/** What decides by its name, and what decides under another. */
const decisions = [
  ...new Bun.Glob('shared/**/decide-*.ts').scanSync(project.root),
  'shared/data/backups/retention.ts',
  'shared/stack/health/verdict.ts',
  'shared/update/admission/rolled-back-before.ts',
  'shared/update/data/require-restorable.ts',
  'shared/update/report/find-anomalies.ts',
  'shared/update/report/verdict-message.ts',
  'shared/update/schedule/reboot-plan.ts',
  'shared/update/schedule/window.ts',
  'shared/update/transaction/on-trial.ts',
  'shared/update/transaction/transaction.ts',
].sort();

async function measure(): Promise<Reached[]> {
  const folder = mkdtempSync(join(tmpdir(), 'homie-coverage-'));
  try {
    const flags = ['--timeout', '120000', '--coverage', '--coverage-reporter=lcov', '--coverage-dir', folder];
    const child = Bun.spawn([process.execPath, 'test', ...flags, ...quick], {
      cwd: project.root,
      stdin: 'ignore',
      stdout: 'ignore',
      stderr: 'pipe',
    });
    const said = await new Response(child.stderr).text();
    if ((await child.exited) !== 0) throw new Error(`the tests fail:\n${said}`);
    return parseLcov(readFileSync(join(folder, 'lcov.info'), 'utf8'));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** One row a room, its files that no quick test loads counted beside it. */
function roomRows(reached: readonly Reached[]): string[][] {
  const files = [...new Bun.Glob('shared/*/**/*.ts').scanSync(project.root)];
  const rooms = [...new Set(files.map((path) => path.split('/')[1] ?? ''))].sort();
  return rooms.map((room) => {
    const all = files.filter((path) => path.startsWith(`shared/${room}/`));
    const seen = reached.filter(({ path }) => path.startsWith(`shared/${room}/`));
    const sum = (field: 'lines' | 'hit') => seen.reduce((total, file) => total + file[field], 0);
    const share = shareOf({ lines: sum('lines'), hit: sum('hit') });
    return [`shared/${room}/`, `${share.toFixed(1)} %`, `of ${seen.length} of ${all.length} files`];
  });
}

const reached = await measure();
const share = (path: string): string => {
  const file = reached.find((one) => one.path === path);
  return file === undefined ? 'never loaded' : `${shareOf(file).toFixed(1)} %`;
};
process.stdout.write(`Lines reached by the quick tests\n\n${columns(roomRows(reached))}\n\n`);
process.stdout.write(
  `Decisions, at least ${floor} %\n\n${columns(decisions.map((path) => [path, share(path)]))}\n`,
);
const low = belowFloor(decisions, reached, floor);
if (low.length > 0) {
  process.stderr.write(
    `Cannot pass: less than ${floor} % of the lines of ${low.join(', ')} are reached by a test\n`,
  );
  process.exitCode = 1;
}
