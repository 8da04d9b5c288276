import { describe, expect, test } from 'bun:test';
import { readdirSync, symlinkSync, utimesSync } from 'node:fs';
import {
  type BackupFile,
  chooseExpired,
  expireBackups,
  type Retention,
} from '../../../shared/data/backups/retention.ts';
import { TempFolder } from '../../support/temp-folder.ts';
import { quietLog } from '../database/database-stack.ts';

/** `name=at` or `name=at/bytes`; 100 bytes where none are given. */
function files(text: string): BackupFile[] {
  return text.split(' ').map((word) => {
    const [name = '', at = '0', bytes = '100'] = word.split(/[=/]/);
    return { path: `/b/${name}`, at: Number(at), bytes: Number(bytes) };
  });
}

const five =
  'pre-migrate-1.dump=1 pre-migrate-2.dump=2 pre-migrate-3.dump=3 pre-migrate-4.dump=4 pre-migrate-5.dump=5';

const cases: [string, string, Retention, string][] = [
  ['there are no more than are kept', five, { keep: 5 }, ''],
  ['there are more', five, { keep: 3 }, 'pre-migrate-1.dump pre-migrate-2.dump'],
  [
    'none may be kept but the newest',
    five,
    { keep: 0 },
    'pre-migrate-1.dump pre-migrate-2.dump pre-migrate-3.dump pre-migrate-4.dump',
  ],
  [
    'they take more than they may',
    five,
    { keep: 9, budgetBytes: 250 },
    'pre-migrate-1.dump pre-migrate-2.dump pre-migrate-3.dump',
  ],
  ['they take just what they may', five, { keep: 9, budgetBytes: 500 }, ''],
  [
    'some were asked for, which are a family of their own',
    'manual-1.dump=1 manual-2.dump=2 pre-migrate-1.dump=1 manual-3.dump.part=1',
    { keep: 1 },
    'manual-1.dump manual-3.dump.part',
  ],
  [
    'even the newest takes more than it may',
    'pre-update-1.tar.zst=1 pre-migrate-1.dump=1',
    { keep: 1, budgetBytes: 1 },
    '',
  ],
  [
    'one is in use',
    five,
    { keep: 1, inUse: ['/b/pre-migrate-2.dump'] },
    'pre-migrate-1.dump pre-migrate-3.dump pre-migrate-4.dump',
  ],
  [
    'the one in use would have to go for the budget',
    'pre-migrate-1.dump=1 pre-migrate-2.dump=2',
    { keep: 9, budgetBytes: 1, inUse: ['/b/pre-migrate-1.dump'] },
    '',
  ],
  [
    'each kind is a family of its own',
    'pre-migrate-1.dump=1 pre-migrate-1.rdb=1 pre-update-1.tar.zst=1 pre-update-2.tar.zst=2',
    { keep: 1 },
    'pre-update-1.tar.zst',
  ],
  [
    'checksums go with their files',
    'pre-migrate-1.dump=1 pre-migrate-1.dump.sha256=9 pre-migrate-2.dump=2 pre-migrate-2.dump.sha256=1',
    { keep: 1 },
    'pre-migrate-1.dump pre-migrate-1.dump.sha256',
  ],
  [
    'checksums count for the budget',
    'pre-migrate-1.dump=1 pre-migrate-1.dump.sha256=1/7 pre-migrate-2.dump=2',
    { keep: 2, budgetBytes: 206 },
    'pre-migrate-1.dump pre-migrate-1.dump.sha256',
  ],
  [
    'a checksum was left alone',
    'pre-update-1.tar.zst.sha256=1 pre-update-2.tar.zst=2',
    { keep: 5 },
    'pre-update-1.tar.zst.sha256',
  ],
  [
    'killed runs have left parts',
    'pre-update-1.tar.zst.part=1 pre-migrate-1.dump.part=1 pre-migrate-1.dump.sha256.77.part=1',
    { keep: 5 },
    'pre-migrate-1.dump.part pre-migrate-1.dump.sha256.77.part pre-update-1.tar.zst.part',
  ],
  [
    'times are the same',
    'pre-migrate-b.dump=0 pre-migrate-a.dump=0 pre-migrate-c.dump=0',
    { keep: 1 },
    'pre-migrate-a.dump pre-migrate-b.dump',
  ],
  [
    'files are of others',
    'mine.dump=1 pre-migrate.dump=1 pre-migrate-1.txt=1 my-pre-migrate-1.dump=1 pre-other-1.dump=1 x.sha256=1 x.part=1 pre-migrate-9.dump=9',
    { keep: 0, budgetBytes: 0 },
    '',
  ],
];

describe('chooseExpired()', () => {
  test.each(cases)('chooses rightly when %s', (_case, given, retention, expected) => {
    const chosen = chooseExpired(files(given), retention);
    expect(chosen).toEqual(expected === '' ? [] : expected.split(' ').map((name) => `/b/${name}`));
    expect(chooseExpired(files(given).reverse(), retention)).toEqual(chosen);
  });
});

test('expireBackups() removes just what has expired when the folder has more than backups in it', () => {
  using folder = new TempFolder();
  const log = quietLog();
  for (const [index, name] of ['pre-update-1.tar.zst', 'pre-update-2.tar.zst', 'notes.txt'].entries())
    utimesSync(folder.write(name, name), index, index);
  folder.write('pre-update-1.tar.zst.sha256', 'x');
  folder.write('pre-migrate-folder.dump/inside', 'x');
  symlinkSync('notes.txt', folder.at('pre-update-0.tar.zst'));

  const removed = expireBackups(folder.path, { keep: 1, log });

  expect(removed).toEqual([folder.at('pre-update-1.tar.zst'), folder.at('pre-update-1.tar.zst.sha256')]);
  expect(readdirSync(folder.path).sort()).toEqual([
    'notes.txt',
    'pre-migrate-folder.dump',
    'pre-update-0.tar.zst',
    'pre-update-2.tar.zst',
  ]);
  expect(log.lines).toEqual([`Removed the old backup "${folder.at('pre-update-1.tar.zst')}" (20 B)`]);
  expect(expireBackups(folder.path, { keep: 1, log })).toEqual([]);
  expect(expireBackups(folder.at('none'), { keep: 1, log })).toEqual([]);
});
