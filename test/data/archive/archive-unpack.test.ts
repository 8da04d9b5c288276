import { expect, test } from 'bun:test';
import { randomBytes } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { zstdCompressSync } from 'node:zlib';
import { createArchive } from '../../../shared/data/archive/archive.ts';
import { verifyArchive } from '../../../shared/data/archive/archive-check.ts';
import { unpackArchive } from '../../../shared/data/archive/archive-unpack.ts';
import { failureOf } from '../../support/failure-of.ts';
import { isRoot, mayMount } from '../../support/privileges.ts';
import { fakeTool } from '../../support/scene/fake-tool.ts';
import { TempFolder } from '../../support/temp-folder.ts';
import { listTree, openDescriptorsBelow, run, verify } from './archive-tree.ts';
import { makeHardTree } from './hard-tree.ts';

const { signal } = new AbortController();

/** An archive of a folder with a large file that does not compress, and where to unpack it. */
async function largeArchive(folder: TempFolder): Promise<{ path: string; into: string }> {
  folder.write('config/a', randomBytes(4_000_000));
  folder.write('config/b', randomBytes(4_000_000));
  const { path } = await createArchive({ folder: folder.at('config'), target: folder.at('x.tar.zst') });
  return { path, into: folder.at('into') };
}

test.skipIf(!isRoot)(
  'unpackArchive() brings back all that is hard about a tree, and leaves nothing beside it',
  async () => {
    using folder = new TempFolder();
    mkdirSync(folder.at('config'));
    await makeHardTree(folder.at('config'));
    const { path } = await createArchive({ folder: folder.at('config'), target: folder.at('x.tar.zst') });
    folder.write('into/config/left', 'by a run that was killed');

    const root = await unpackArchive({
      archive: await verify(path, 'config'),
      into: folder.at('into'),
      signal,
    });

    expect(root).toBe(folder.at('into/config'));
    expect(await listTree(root)).toEqual(await listTree(folder.at('config')));
    expect(readdirSync(folder.at('into'))).toEqual(['config']);
  },
);

const changes: [when: string, reason: RegExp, change: (folder: TempFolder, path: string) => unknown][] = [
  [
    'a bit of it has changed since',
    /^Cannot restore from ".*": .*(checksum|corrupt)/i,
    (_folder, path) => {
      const archive = readFileSync(path);
      archive[archive.length >> 1] = (archive[archive.length >> 1] ?? 0) ^ 1;
      writeFileSync(path, archive);
    },
  ],
  [
    'it was truncated since',
    /^Cannot restore from ".*": tar: Unexpected EOF in archive$/,
    (_folder, path) => truncateSync(path, 5_000_000),
  ],
  [
    'another backup of that name has taken its place',
    /^Cannot trust the backup ".*": it has changed since it was checked$/,
    async (folder, path) => {
      folder.write('config/c', '');
      await createArchive({ folder: folder.at('config'), target: path });
    },
  ],
  [
    'one with names outside of its folder has taken its place',
    /^Cannot (restore|trust)/,
    async (folder, path) => {
      folder.write('made/config/file', 'x');
      folder.write('victim', 'x');
      const names = ['--transform=s,config/file,config/../../climbed,', 'config', folder.at('victim')];
      await run`tar --create --absolute-names --file=${folder.at('x.tar')} -C ${folder.at('made')} ${names}`;
      writeFileSync(path, zstdCompressSync(readFileSync(folder.at('x.tar'))));
      folder.write('victim', 'kept');
    },
  ],
  [
    'one that writes through a link has taken its place',
    /^Cannot restore from ".*": tar: config\/way\/file: /,
    async (folder, path) => {
      folder.write('made/config/file', 'x');
      mkdirSync(folder.at('target'));
      symlinkSync(folder.at('target'), folder.at('made/config/way'));
      const names = ['--transform=s,config/file,config/way/file,', 'config/way', 'config/file'];
      await run`tar --create --file=${folder.at('x.tar')} -C ${folder.at('made')} ${names}`;
      writeFileSync(path, zstdCompressSync(readFileSync(folder.at('x.tar'))));
    },
  ],
];
test.each(changes)(
  'unpackArchive() leaves nothing, here or outside, when %s',
  async (_when, reason, change) => {
    using folder = new TempFolder();
    const { path, into } = await largeArchive(folder);
    const archive = await verify(path, 'config');
    await change(folder, path);

    const failure = await failureOf(() => unpackArchive({ archive, into, signal }));

    expect(failure.message).toMatch(reason);
    expect(existsSync(into)).toBe(false);
    expect(existsSync(folder.at('climbed'))).toBe(false);
    expect(existsSync(folder.at('target/file'))).toBe(false);
    if (existsSync(folder.at('victim'))) expect(folder.read('victim')).toBe('kept');
    expect(openDescriptorsBelow(folder.path)).toEqual([]);
  },
);

test('unpackArchive() says what tar said, and leaves nothing, when tar fails half way', async () => {
  using folder = new TempFolder();
  const { path, into } = await largeArchive(folder);
  const archive = await verify(path, 'config');
  const { PATH } = process.env;
  process.env['PATH'] = fakeTool(
    folder,
    'tar',
    'head -c 1000000 >/dev/null; echo "tar: a: broken" >&2; exit 2',
  );
  try {
    const failure = await failureOf(() => unpackArchive({ archive, into, signal }));
    expect(failure.message).toBe(`Cannot restore from "${path}": tar: a: broken`);
    expect(failure.advice).toBe('Nothing was replaced');
  } finally {
    process.env['PATH'] = PATH;
  }
  expect(existsSync(into)).toBe(false);
  expect(openDescriptorsBelow(folder.path)).toEqual([]);
});

test.skipIf(!mayMount)(
  'unpackArchive() needs room for what the archive holds, once, and leaves nothing where there is less',
  async () => {
    using folder = new TempFolder();
    const { path } = await largeArchive(folder);
    const archive = await verify(path, 'config');
    const disk = folder.at('disk');
    mkdirSync(disk);
    await run`mount -t tmpfs -o size=6m none ${disk}`;
    try {
      const into = folder.at('disk/into');
      const failure = await failureOf(() => unpackArchive({ archive, into, signal }));
      expect([failure.message, failure.outcome, failure.advice]).toEqual([
        `Cannot restore from "${path}": no space left on the device`,
        'noSpace',
        'It needs room for all that it holds, beside what is there; free space and restore again',
      ]);
      expect(readdirSync(disk)).toEqual([]);

      await run`mount -o remount,size=9m ${disk}`;
      await unpackArchive({ archive, into, signal });
      expect(readdirSync(folder.at('disk/into/config')).sort()).toEqual(['a', 'b']);
    } finally {
      await run`umount ${disk}`;
    }
  },
);

test('unpackArchive() leaves nothing when it is stopped', async () => {
  using folder = new TempFolder();
  const { path, into } = await largeArchive(folder);
  const archive = await verify(path, 'config');
  const ending = new AbortController();
  const tar = `mkdir ${into}/half; kill -USR2 ${process.pid}; exec cat`;
  const { PATH } = process.env;
  const end = (): void => ending.abort();
  process.on('SIGUSR2', end);
  process.env['PATH'] = fakeTool(folder, 'tar', tar);
  try {
    const failure = await failureOf(() => unpackArchive({ archive, into, signal: ending.signal }));
    expect(failure.message).toBe(`Cannot restore from "${path}": the program was stopped`);
  } finally {
    process.env['PATH'] = PATH;
    process.off('SIGUSR2', end);
  }
  expect(existsSync(into)).toBe(false);
  expect(openDescriptorsBelow(folder.path)).toEqual([]);
});

test('verifyArchive() gives the message of tar when a header in it is damaged, with any checksum', async () => {
  using folder = new TempFolder();
  const { path } = await largeArchive(folder);
  await run`zstd -dqf ${path} -o ${folder.at('x.tar')}`;
  const tar = readFileSync(folder.at('x.tar'));
  tar.fill('x', tar.lastIndexOf('config/b'), tar.lastIndexOf('config/b') + 512);
  writeFileSync(path, zstdCompressSync(tar));
  await run`env -C ${folder.path} sha256sum x.tar.zst >${folder.at('x.tar.zst.sha256')}`;

  const failure = await failureOf(() => verifyArchive(path, 'config', signal));

  expect(failure.message).toBe(`Cannot restore from "${path}": tar: Skipping to next header`);
  expect(openDescriptorsBelow(folder.path)).toEqual([]);
});
