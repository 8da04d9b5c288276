import { expect, test } from 'bun:test';
import { lstatSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createArchive } from '../../../shared/data/archive/archive.ts';
import { describeEntry } from '../../../shared/data/archive/archive-entry.ts';
import { isRoot } from '../../support/privileges.ts';
import { listTree, openDescriptorsBelow, restore, run, temporaryFolder, verify } from './archive-tree.ts';
import { makeHardTree } from './hard-tree.ts';

test.skipIf(!isRoot)(
  'createArchive() writes what GNU tar restores exactly when the tree has all that is hard',
  async () => {
    using temporary = temporaryFolder();
    const folder = join(temporary.path, 'config');
    const target = join(temporary.path, 'config.tar.zst');
    mkdirSync(folder);
    await makeHardTree(folder);
    const before = await listTree(folder);

    const report = await createArchive({ folder, target });
    const restored = join(temporary.path, 'restored');
    mkdirSync(restored);
    await restore(target, restored);

    expect(await listTree(join(restored, 'config'))).toEqual(before);
    for (const hard of [
      '"mtime":"-1500000000"',
      'b%3D=0x6100620a',
      'security.capability=0x',
      '"mode":"100000"',
    ])
      expect(before.filter((line) => line.includes(hard))).not.toEqual([]);
    expect(report.leftOut).toEqual([]);
    expect(report.entries).toBe(before.filter((line) => line.startsWith('{')).length);
    expect(report.bytes).toBe(lstatSync(target).size);
  },
);

test('createArchive() leaves a private archive and the checksum that sha256sum accepts when it is done', async () => {
  using temporary = temporaryFolder();
  const folder = join(temporary.path, 'in');
  const out = join(temporary.path, 'out');
  mkdirSync(folder);
  mkdirSync(out);
  writeFileSync(join(folder, 'a'), 'a');
  writeFileSync(join(out, 'b.tar.zst.part'), 'left by a run that was killed', { mode: 0o644 });

  const first = await createArchive({ folder, target: join(out, 'b.tar.zst'), rootName: 'C:x' });
  const second = await createArchive({ folder, target: join(out, 'b.tar.zst'), rootName: 'C:x' });

  expect(readdirSync(out).sort()).toEqual(['b.tar.zst', 'b.tar.zst.sha256']);
  expect(lstatSync(first.path).mode & 0o777).toBe(0o600);
  expect(second).toEqual(first);
  expect(readFileSync(`${first.path}.sha256`, 'utf8')).toBe(`${first.sha256}  b.tar.zst\n`);
  const checked = await run`env -C ${out} sha256sum -c b.tar.zst.sha256`;
  expect(checked.stdout).toBe('b.tar.zst: OK\n');
  expect((await run`tar --zstd -tf ${first.path}`).stdout).toBe('C:x/\nC:x/a\n');
  await verify(first.path, 'C:x');
  expect(openDescriptorsBelow(temporary.path)).toEqual([]);
});

test.skipIf(!isRoot)(
  'createArchive() names what it leaves out when a tree has what no archive can hold',
  async () => {
    using temporary = temporaryFolder();
    const folder = join(temporary.path, 'data');
    mkdirSync(join(folder, 'mounted'), { recursive: true });
    writeFileSync(join(folder, 'kept'), 'kept');
    await run`mkfifo ${join(folder, 'a-fifo')}`;
    await run`mknod ${join(folder, 'b-device')} c 1 3`;
    await run`setfattr -n user.binary -v 0xff00fe ${join(folder, 'kept')}`;
    await run`setfattr -n user.text -v fine ${join(folder, 'kept')}`;
    symlinkSync(Buffer.from([0xff]), join(folder, 'c-link'));
    writeFileSync(Buffer.concat([Buffer.from(`${folder}/z`), Buffer.from([0xfe])]), '');
    const socket = Bun.listen({ unix: join(folder, 'd-socket'), socket: { data() {} } });
    await run`mount -t tmpfs none ${join(folder, 'mounted')}`;
    try {
      writeFileSync(join(folder, 'mounted/inside'), '');
      const { leftOut, path } = await createArchive({ folder, target: join(temporary.path, 'x.tar.zst') });
      expect(leftOut).toEqual([
        { path: 'data/z\ufffd', kind: 'name' },
        { path: 'data/a-fifo', kind: 'fifo' },
        { path: 'data/b-device', kind: 'device' },
        { path: 'data/c-link', kind: 'target' },
        { path: 'data/d-socket', kind: 'socket' },
        { path: 'data/kept', kind: 'xattr', attribute: 'user.binary' },
        { path: 'data/mounted', kind: 'mount' },
      ]);
      expect((await run`tar --zstd -tf ${path}`).stdout).toBe('data/\ndata/kept\n');
      expect((await run`zstd -dcq ${path}`).stdout).toContain('SCHILY.xattr.user.text=fine\n');
    } finally {
      socket.stop(true);
      await run`umount ${join(folder, 'mounted')}`;
    }
  },
);

test('describeEntry() gives the size as a pax record only when the header has no digits for it', () => {
  using temporary = temporaryFolder();
  const path = join(temporary.path, 'a');
  writeFileSync(path, '');
  const stats = lstatSync(path, { bigint: true });
  const entry = { kind: 'file', path, name: 'a', stats, linkName: '', attributes: new Map() } as const;
  const sized = (size: bigint) => describeEntry(entry, Object.assign(Object.create(stats), { size }));
  expect(sized(8n * 1024n ** 3n - 1n).pax['size']).toBeUndefined();
  expect(sized(8n * 1024n ** 3n).pax['size']).toBe('8589934592');
  expect(sized(8n * 1024n ** 3n).stats.size).toBe(8589934592);
});
