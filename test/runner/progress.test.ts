import { expect, test } from 'bun:test';
import { TempFolder } from '../support/temp-folder.ts';
import { until } from '../support/until.ts';
import { Progress } from './progress.ts';

test('Progress says how a file ended with what it said, and in a silence what is running', async () => {
  using folder = new TempFolder();
  const told: string[] = [];
  using progress = new Progress((text) => told.push(text), 20);
  progress.begins('one.test.ts');
  progress.begins('other.test.ts');
  await until(() => told.length > 0);
  expect(told[0]).toMatch(/^still running: one\.test\.ts \(\d s\), other\.test\.ts \(\d s\)\n$/);
  const log = folder.write('log', '(pass) a\na word\n');
  progress.ends({
    file: 'one.test.ts',
    lane: 'a',
    cases: [{ name: 'a', outcome: 'passed', seconds: 1 }],
    seconds: 1,
    cpuSeconds: 1,
    log,
  });
  told.splice(0, told.length - 1);
  expect(told).toEqual(['passed one.test.ts: 1 passed, 0 failed in 1 s\na word\n']);
  await until(() => told.length > 1);
  expect(told[1]).toStartWith('still running: other.test.ts (');
});
