import { expect, test } from 'bun:test';
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { zstdCompressSync } from 'node:zlib';
import { createArchive } from '../../../shared/data/archive/archive.ts';
import { verifyArchive } from '../../../shared/data/archive/archive-check.ts';
import { temporaryFolder, verify } from './archive-tree.ts';

type Spoil = (path: string) => void;

function rewrite(path: string, change: (archive: Buffer) => Buffer): void {
  const archive = change(readFileSync(path));
  writeFileSync(path, archive);
  writeFileSync(`${path}.sha256`, `${createHash('sha256').update(archive).digest('hex')}  x.tar.zst\n`);
}

const flipOne = (archive: Buffer): Buffer => {
  archive[archive.length >> 1] = (archive[archive.length >> 1] ?? 0) ^ 1;
  return archive;
};

const spoiled: [string, string | RegExp, Spoil][] = [
  ['it is gone', 'no such file or folder', (path) => rmSync(path)],
  ['its checksum is gone', 'it has no checksum beside it', (path) => rmSync(`${path}.sha256`)],
  ['its checksum is empty', /holds no checksum$/, (path) => writeFileSync(`${path}.sha256`, '')],
  [
    'the checksum is of another file',
    'the checksum beside it is that of "y"',
    (path) => writeFileSync(`${path}.sha256`, `${'0'.repeat(64)}  y\n`),
  ],
  [
    'one bit of it changed',
    'it does not have the checksum beside it',
    (path) => writeFileSync(path, flipOne(readFileSync(path))),
  ],
  ['a bit changed before the checksum was made', /checksum|corrupt/i, (path) => rewrite(path, flipOne)],
  ['it is truncated', 'it ends too early', (path) => rewrite(path, (all) => all.subarray(0, all.length / 2))],
  ['it is empty', 'it ends too early', (path) => rewrite(path, () => Buffer.alloc(0))],
  ['it is no zstd', 'Unknown frame descriptor', (path) => rewrite(path, () => Buffer.from('some text'))],
  [
    'it holds no whole tar',
    'it ends too early',
    (path) => rewrite(path, () => zstdCompressSync(Buffer.alloc(512, 'a'))),
  ],
];

test.each(spoiled)('verifyArchive() says what is wrong when %s', async (_when, reason, spoil) => {
  using temporary = temporaryFolder();
  const folder = join(temporary.path, 'in');
  const path = join(temporary.path, 'x.tar.zst');
  mkdirSync(folder);
  writeFileSync(join(folder, 'a'), randomBytes(300_000));
  await createArchive({ folder, target: path });
  await verify(path, 'in');

  spoil(path);

  const failure: unknown = await verify(path, 'in').catch((error: unknown) => error);
  expect(failure).toMatchObject({ name: 'Failure', outcome: 'failed' });
  const prefix = `Cannot trust the backup "${path}": `;
  const message = String(failure instanceof Error ? failure.message : failure);
  expect(message.startsWith(prefix)).toBe(true);
  if (typeof reason === 'string') expect(message.slice(prefix.length)).toBe(reason);
  else expect(message.slice(prefix.length)).toMatch(reason);
});

test('verifyArchive() says that the program was stopped when it is aborted', async () => {
  using temporary = temporaryFolder();
  const path = join(temporary.path, 'x.tar.zst');
  mkdirSync(join(temporary.path, 'in'));
  await createArchive({ folder: join(temporary.path, 'in'), target: path });
  const checking = verifyArchive(path, 'in', AbortSignal.abort());
  expect(checking).rejects.toThrow(`Cannot trust the backup "${path}": the program was stopped`);
  await checking.catch(() => undefined);
});
