import { expect, test } from 'bun:test';
import { dirname, join } from 'node:path';
import { dumpFile, manualFile } from '../../../shared/data/backups/backup.ts';
import { freeTime } from '../../../shared/data/backups/free-time.ts';
import { TempFolder } from '../../support/temp-folder.ts';

const at = new Date('1970-01-01T00:00:07.900Z');

test('freeTime() is the time itself when no file has it', () => {
  using folder = new TempFolder();
  const free = freeTime(at, (time) => [manualFile(folder.path, '1.1.0', time, 'dump')]);
  expect(free).toEqual(at);
});

test('freeTime() is a later second when any of the files exists, so that no backup replaces another', () => {
  using folder = new TempFolder();
  const filesAt = (time: Date): string[] =>
    (['dump', 'rdb'] as const).map((kind) => dumpFile(folder.path, '1.0.0', '1.1.0', time, kind));
  const taken = ['1970-01-01T00:00:07Z', '1970-01-01T00:00:08Z'].map((time) => new Date(time));
  const [first = '', second = ''] = taken.map((time, index) => filesAt(time)[index]);
  expect(dirname(first)).toBe(folder.path);
  for (const path of [first, second]) folder.write(path.slice(folder.path.length + 1), 'a backup');
  const free = freeTime(at, filesAt);
  expect(filesAt(free)).toEqual(
    ['dump', 'rdb'].map((kind) => join(folder.path, `pre-migrate-1.0.0-1.1.0-19700101T000009Z.${kind}`)),
  );
});
