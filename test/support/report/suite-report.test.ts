import { expect, test } from 'bun:test';
import { join } from 'node:path';
import { TempFolder } from '../temp-folder.ts';

const helper = join(import.meta.dir, 'suite-report.ts');

/** A test file with two scenarios and a fact, of which so many are asked for. */
function runSuite(folder: TempFolder, least: number): number {
  folder.write('reports/room/suite.json', 'of an earlier run');
  folder.write('reports/other.json', 'of another suite');
  const wish = JSON.stringify({ name: 'room/suite', least, folder: folder.at('reports') });
  folder.write(
    'a.test.ts',
    `import { describe } from 'bun:test';
import { suiteOf } from '${helper}';
const { scenario, note } = suiteOf(${wish});
describe('in it', () => {
  scenario('passes', async () => note({ devices: 3 }));
  scenario('fails', () => Promise.reject(new Error('no')));
});`,
  );
  return Bun.spawnSync([process.execPath, 'test', './a.test.ts'], { cwd: folder.path }).exitCode;
}

test('suiteOf() writes what ran into a report of its own', () => {
  using folder = new TempFolder();
  expect(runSuite(folder, 2)).toBe(1);
  expect(JSON.parse(folder.read('reports/room/suite.json'))).toMatchObject({
    format: 2,
    least: 2,
    passed: 1,
    failed: 1,
    devices: 3,
    scenarios: [
      { name: 'passes', outcome: 'passed' },
      { name: 'fails', outcome: 'failed' },
    ],
  });
  expect(folder.read('reports/other.json')).toBe('of another suite');
});

test('suiteOf() fails where there are fewer scenarios than were promised', () => {
  using folder = new TempFolder();
  folder.write(
    'b.test.ts',
    `import { suiteOf } from '${helper}';
for (const least of [0, 1]) suiteOf({ name: 'b', least, folder: '${folder.at('reports')}' });`,
  );
  const { exitCode, stderr } = Bun.spawnSync([process.execPath, 'test', './b.test.ts'], { cwd: folder.path });
  expect(exitCode).toBe(1);
  expect(stderr.toString()).toContain('(pass) b.json will have at least 0 scenarios');
  expect(stderr.toString()).toContain('(fail) b.json will have at least 1 scenarios');
});
