import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { project } from '../../shared/packaging/project.ts';
import { command } from '../../shared/system/process/command.ts';
import { TempFolder } from '../support/temp-folder.ts';
import type { Point } from './bench.ts';
import { medianSeconds, type Run, run } from './measure.ts';
import { inSeconds, megabytes, type Row, row } from './row.ts';
import { readTestRun } from './test-run.ts';

const rounds = 7;

/** The build in a copy of what git has, so that nothing of ours is in its way: from clean, then again. */
export const measureBuild: Point = async (tell) => {
  using folder = new TempFolder();
  const copy = folder.at('copy');
  const git = command({ deadlineMs: 60_000, cwd: project.root });
  await git`git clone --quiet --no-hardlinks ${project.root} ${copy}`;
  await git`ln -s ${join(project.root, 'node_modules')} ${join(copy, 'node_modules')}`;
  // The second one packs what the first one has compiled.
  const both = '"$0" build.ts hooks && "$0" build.ts bundle';
  const build = (): Promise<Run> => run(['sh', '-c', both, process.execPath], { cwd: copy });
  await run([process.execPath, 'build.ts', 'keys'], { cwd: copy });
  const [clean, again]: [Run[], Run[]] = [[], []];
  for (let round = 0; round < rounds; round += 1) {
    await git`rm -rf ${join(copy, 'dist')} ${join(copy, '.cache')}`;
    tell(`round ${round + 1} of ${rounds}`);
    clean.push(await build());
    again.push(await build());
  }
  return [
    row({ what: 'build.ts hooks and bundle, from clean', ours: inSeconds(medianSeconds(clean)), n: rounds }),
    row({ what: 'build.ts hooks and bundle, again', ours: inSeconds(medianSeconds(again)), n: rounds }),
    await treeOfTheLockFile(),
    ...timeOfTheTests(tell),
  ];
};

async function treeOfTheLockFile(): Promise<Row> {
  const modules = join(project.root, 'node_modules');
  const { stdout } = await command({ deadlineMs: 60_000 })`du -sk ${modules}`;
  const packages = Object.keys(
    JSON.parse(readFileSync(join(project.root, 'package-lock.json'), 'utf8')).packages,
  );
  return row({
    what: `the ${packages.length - 1} packages of the lock file`,
    ours: megabytes(Number(stdout.split('\t')[0]) * 1024),
    against: `lock file ${megabytes(statSync(join(project.root, 'package-lock.json')).size)}`,
    n: 1,
    note: 'the lock file has those of other machines, too; the size is what is installed on this one',
  });
}

/** The tests run for longer than everything here: what the last whole run of them has written is read. */
function timeOfTheTests(tell: (line: string) => void): Row[] {
  const file = join(project.reports, 'tests-quick.json');
  const ran = readTestRun(existsSync(file) ? readFileSync(file, 'utf8') : '');
  if (ran === undefined) {
    tell('reports/tests-quick.json has no run that passed: npm test writes it; its row is left out');
    return [];
  }
  return [row({ what: `the ${ran.tests} tests of npm test`, ours: inSeconds(ran.seconds), n: 1 })];
}
