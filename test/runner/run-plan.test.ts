import { expect, test } from 'bun:test';
import { mayMount } from '../support/privileges.ts';
import { isSoonGone } from '../support/processes.ts';
import { TempFolder } from '../support/temp-folder.ts';
import { until } from '../support/until.ts';
import { type Lane, laneOf } from './lane.ts';
import { formatOutcome, formatProblems, isGood, outcomeOf, outcomePerFile } from './outcome.ts';
import type { Desk, FileRun } from './run-file.ts';
import { longestFirst, runPlan } from './run-plan.ts';

const asserted = "import { expect, test } from 'bun:test';\n";
const files: Record<string, string> = {
  'passes.test.ts': `${asserted}test('one', () => expect(1).toBe(1));`,
  'fails.test.ts': `${asserted}test('a "b" & <c>', () => expect('this').toBe('that'));`,
  'skips.test.ts': `${asserted}test('here', () => expect(1).toBe(1));\ntest.skip('not here', () => {});`,
  'has-a-todo.test.ts': `${asserted}test.todo('later');`,
  'is-empty.test.ts': asserted,
  'ends-badly.test.ts': `${asserted}test('one', () => expect(1).toBe(1));\nprocess.exitCode = 3;`,
  'ends-too-soon.test.ts': `${asserted}test('one', () => process.exit(0));`,
  'dies.test.ts': `${asserted}test('one', () => process.kill(process.pid, 'SIGKILL'));`,
  'lacks-a-module.test.ts': `import './not-there.ts';\n${asserted}test('one', () => expect(1).toBe(1));`,
  'fails-before.test.ts': `import { beforeAll, test } from 'bun:test';\nbeforeAll(() => { throw new Error('no'); });\ntest('one', () => {});`,
  'fails-after.test.ts': `import { afterAll, test } from 'bun:test';\nafterAll(() => { throw new Error('no'); });\ntest('one', () => {});`,
};

function deskIn(folder: TempFolder, more: Partial<Desk> = {}): Desk {
  return {
    root: folder.path,
    reports: folder.at('reports'),
    bun: process.execPath,
    env: process.env,
    hasNamespaces: false,
    isAloud: false,
    signal: new AbortController().signal,
    ...more,
  };
}

async function runAll(
  folder: TempFolder,
  lanes: readonly Lane[],
  more: Partial<Desk> = {},
): Promise<FileRun[]> {
  return await runPlan(
    deskIn(folder, more),
    { run: 'quick', beside: [], stages: [lanes] },
    { begins() {}, ends() {} },
  );
}

test('runPlan() passes what passes, and nothing else', async () => {
  using folder = new TempFolder();
  for (const [name, source] of Object.entries(files)) folder.write(name, source);
  const runs = await runAll(folder, [laneOf('one', Object.keys(files), { atOnce: 3 })]);
  const told = Object.fromEntries(
    runs.map((run) => [run.file, [formatOutcome(outcomeOf([run])), isGood(outcomeOf([run]))]]),
  );
  expect(told).toEqual({
    'passes.test.ts': ['1 passed, 0 failed', true],
    'fails.test.ts': ['0 passed, 1 failed', false],
    'skips.test.ts': ['1 passed, 0 failed, 1 skipped', false],
    'has-a-todo.test.ts': ['0 passed, 0 failed, 1 skipped', false],
    'is-empty.test.ts': ['0 passed, 1 failed', false],
    'ends-badly.test.ts': ['1 passed, 1 failed', false],
    'ends-too-soon.test.ts': ['0 passed, 1 failed', false],
    'dies.test.ts': ['0 passed, 1 failed', false],
    'lacks-a-module.test.ts': ['0 passed, 1 failed', false],
    'fails-before.test.ts': ['0 passed, 1 failed', false],
    'fails-after.test.ts': ['1 passed, 1 failed', false],
  });
  const problems = formatProblems(runs).join('\n');
  expect(problems).toContain('FAILED fails.test.ts: a "b" & <c>\n    expect(received).toBe(expected)');
  expect(problems).toContain('FAILED ends-too-soon.test.ts: ran no test, and ended with 0');
  expect(problems).toContain('FAILED dies.test.ts: ran no test, and ended with SIGKILL');
  expect(problems).toContain('skipped skips.test.ts: not here');
  const skipped = runs.filter(({ file }) => file === 'skips.test.ts');
  expect(isGood(outcomeOf(skipped), { maySkip: true })).toBe(true);
  expect(isGood(outcomeOf(skipped), { maySkip: true, least: 2 })).toBe(false);
}, 60_000);

test('runPlan() takes no result of an earlier run', async () => {
  using folder = new TempFolder();
  const lanes = [laneOf('one', ['a.test.ts'])];
  folder.write('a.test.ts', files['passes.test.ts'] ?? '');
  expect(isGood(outcomeOf(await runAll(folder, lanes)))).toBe(true);
  folder.write('a.test.ts', files['ends-too-soon.test.ts'] ?? '');
  expect(isGood(outcomeOf(await runAll(folder, lanes)))).toBe(false);
});

test('runPlan() gives each file its lane: time limit, environment, niceness', async () => {
  using folder = new TempFolder();
  folder.write(
    'asks.test.ts',
    `${asserted}import { getPriority } from 'node:os';
test('one', () => expect([getPriority(), process.env['WORD']]).toEqual([7, 'given']));
test('slow', () => Bun.sleep(60_000));`,
  );
  const wish = { niceness: 7, env: { WORD: 'given' }, timeoutMs: 3_000 };
  const [run] = await runAll(folder, [laneOf('one', ['asks.test.ts'], wish)]);
  expect(run?.cases.map(({ outcome }) => outcome)).toEqual(['passed', 'failed']);
});

test.skipIf(!mayMount)('runPlan() lets no file see the mounts of another', async () => {
  using folder = new TempFolder();
  const source = `${asserted}import { readFileSync } from 'node:fs';
test('mounts', () => {
  expect(Bun.spawnSync(['mount', '-t', 'tmpfs', 'tmpfs', '${folder.path}/disk']).exitCode).toBe(0);
  const mounted = readFileSync('/proc/self/mountinfo', 'utf8').split('\\n').filter((line) => line.includes('${folder.path}/disk'));
  expect(mounted.length).toBe(1);
});`;
  folder.write('disk/file', '');
  folder.write('one.test.ts', source);
  folder.write('other.test.ts', source);
  const runs = await runAll(folder, [laneOf('one', ['one.test.ts', 'other.test.ts'])], {
    hasNamespaces: true,
  });
  expect(formatProblems(runs)).toEqual([]);
  expect([folder.has('disk/file'), runs.length]).toEqual([true, 2]);
});

test.skipIf(!mayMount)('runPlan() keeps the temporary files of each in memory', async () => {
  using folder = new TempFolder();
  using memory = new TempFolder();
  const source = `${asserted}import { readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
test('has a folder of its own', () => {
  expect([tmpdir(), readdirSync(tmpdir())]).toEqual(['${memory.path}', []]);
  expect(Bun.spawnSync(['stat', '-f', '-c', '%T', tmpdir()]).stdout.toString()).toBe('tmpfs\\n');
  writeFileSync(tmpdir() + '/file', '');
});`;
  for (const name of ['one.test.ts', 'other.test.ts']) folder.write(name, source);
  const runs = await runAll(folder, [laneOf('one', ['one.test.ts', 'other.test.ts'])], {
    hasNamespaces: true,
    memory: memory.path,
  });
  expect(formatProblems(runs)).toEqual([]);
  expect(memory.has('file')).toBe(false);
});

test('runPlan() ends all of it when it is told to stop', async () => {
  using folder = new TempFolder();
  folder.write(
    'waits.test.ts',
    `${asserted}test('one', async () => {
  const child = Bun.spawn(['sleep', '60']);
  await Bun.write('${folder.path}/started', String(child.pid));
  await child.exited;
});`,
  );
  const ending = new AbortController();
  const running = runAll(folder, [laneOf('one', ['waits.test.ts', 'waits.test.ts'])], {
    signal: ending.signal,
  });
  await until(() => folder.has('started') && folder.read('started') !== '');
  const pid = folder.read('started');
  ending.abort();
  expect(await running).toEqual([]);
  expect(await isSoonGone(Number(pid))).toBe(true);
});

test('runPlan() repeats each file beside a load, keeps what each run said, and needs the load to last', async () => {
  using folder = new TempFolder();
  folder.write(
    'counts.test.ts',
    `${asserted}import { appendFileSync, readFileSync } from 'node:fs';
test('is not the second', () => {
  appendFileSync('${folder.path}/runs', 'x');
  expect(readFileSync('${folder.path}/runs', 'utf8')).not.toBe('xx');
});`,
  );
  const repeated = (load: string[]) => laneOf('repeat', ['counts.test.ts'], { times: 3, load });
  const runs = await runAll(folder, [repeated(['sleep', '60'])]);
  expect(outcomePerFile(runs)).toMatchObject([{ file: 'counts.test.ts', runs: 3, passed: 2, failed: 1 }]);
  expect(folder.read('reports/logs/repeat/counts-2.log')).toContain('(fail) is not the second');
  await expect(runAll(folder, [repeated(['false'])])).rejects.toThrow('"false" ended with 1');
});

test('longestFirst() goes by what a file took, and by its room where it never ran', () => {
  const took: Record<string, number> = { 'test/a/short.test.ts': 1, 'test/a/long.test.ts': 60 };
  expect(
    longestFirst(
      ['test/a/short.test.ts', 'test/a/new.test.ts', 'test/a/long.test.ts', 'test/rig/new.test.ts'],
      (file) => took[file],
    ),
  ).toEqual(['test/rig/new.test.ts', 'test/a/long.test.ts', 'test/a/new.test.ts', 'test/a/short.test.ts']);
});
