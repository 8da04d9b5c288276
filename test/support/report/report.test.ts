import { expect, test } from 'bun:test';
import { readdirSync } from 'node:fs';
import { seed } from '../seed.ts';
import { TempFolder } from '../temp-folder.ts';
import { tier } from '../tier.ts';
import { formatTested, readTested } from './commit.ts';
import { removeReport, writeReport } from './report.ts';

test('writeReport() says of which commit, with which seed and tier, and replaces only its own', () => {
  using folder = new TempFolder();
  folder.write('other.json', 'of another suite');
  writeReport('room/suite', { cases: 3 }, folder.path);
  writeReport('room/suite', { cases: 4, seconds: 1.5 }, folder.path);
  const { date, ...rest } = JSON.parse(folder.read('room/suite.json'));
  expect(rest).toEqual({ format: 1, ...readTested(), seed, tier, cases: 4, seconds: 1.5 });
  expect(Math.abs(Date.parse(date) - Date.now())).toBeLessThan(60_000);
  expect(readdirSync(folder.at('room'))).toEqual(['suite.json']);
  removeReport('room/suite', folder.path);
  removeReport('room/suite', folder.path);
  expect([folder.has('room/suite.json'), folder.read('other.json')]).toEqual([false, 'of another suite']);
});

test('readTested() takes what a run hands to its parts', () => {
  using _ = withCommit('0123abc-dirty');
  expect(readTested()).toEqual({ commit: '0123abc', isDirty: true });
  expect(formatTested(readTested())).toBe('0123abc-dirty');
  process.env['HOMIE_COMMIT'] = '0123abc';
  expect(readTested()).toEqual({ commit: '0123abc', isDirty: false });
  expect(formatTested(readTested())).toBe('0123abc');
});

function withCommit(commit: string): Disposable {
  const before = process.env['HOMIE_COMMIT'];
  process.env['HOMIE_COMMIT'] = commit;
  return {
    [Symbol.dispose]() {
      if (before === undefined) delete process.env['HOMIE_COMMIT'];
      else process.env['HOMIE_COMMIT'] = before;
    },
  };
}
