import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { createHash } from 'node:crypto';
import {
  existsSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { bytesPerInode, fittedMiB, makeImage } from '../../../shared/packaging/root/image.ts';
import { command } from '../../../shared/system/process/command.ts';
import { failureOf } from '../../support/failure-of.ts';
import { hasLoopDevices } from '../../support/privileges.ts';
import { TempFolder } from '../../support/temp-folder.ts';

let folder: TempFolder;
beforeEach(() => {
  folder = new TempFolder();
});
afterEach(() => folder[Symbol.dispose]());

const run = command({ deadlineMs: 60_000 });
const time = new Date(1_700_000_000_000);
/** Later than the build's time, like a file that was saved just now. */
const later = new Date(1_900_000_000_000);
const names = Array.from({ length: 300 }, (_, index) => `file-${index}`);

function make(tree: string, output: string, more: { sizeMiB?: number; time?: Date } = {}): Promise<void> {
  mkdirSync(folder.at('work'), { recursive: true });
  return makeImage(folder.at(tree), {
    output: folder.at(output),
    label: 'rootfs',
    identity: 'a root',
    sizeMiB: undefined,
    time,
    work: folder.at('work'),
    ...more,
  });
}

/** The same content, made in the given order, now. */
function fill(tree: string, order: readonly string[]): void {
  folder.write(`${tree}/etc/hostname`, 'homie\n');
  for (const name of order) folder.write(`${tree}/etc/${name}`, `${name}\n`);
  folder.write(`${tree}/usr/bin/program`, 'program'.repeat(10_000), 0o4755);
  linkSync(folder.at(tree, 'usr/bin/program'), folder.at(tree, 'usr/bin/other-name'));
  symlinkSync('/usr/bin/program', folder.at(tree, 'etc/link'));
  Bun.spawnSync(['chown', '33:44', folder.at(tree, 'etc/hostname')]);
}

function digest(name: string): string {
  return createHash('sha256')
    .update(readFileSync(folder.at(name)))
    .digest('hex');
}

describe.skipIf(!hasLoopDevices)('makeImage()', () => {
  test('makes the same bytes from the same content, in any order and at any time', async () => {
    fill('one', names);
    await make('one', 'one.ext4');
    fill('two', names.toReversed());
    for (const path of readdirSync(folder.at('two'), { recursive: true, encoding: 'utf8' }))
      lutimesSync(folder.at('two', path), later, later);
    await make('two', 'two.ext4');
    expect(digest('two.ext4')).toBe(digest('one.ext4'));
    await make('two', 'later.ext4', { time: new Date(1_700_000_001_000) });
    expect(digest('later.ext4')).not.toBe(digest('one.ext4'));
    expect(readdirSync(folder.at('work'))).toEqual([]);
  });

  test('keeps owners, modes and links, in a file system that is whole', async () => {
    fill('tree', names);
    await make('tree', 'root.ext4');
    await run`e2fsck -f -n ${folder.at('root.ext4')}`;
    const stat = async (path: string): Promise<string> =>
      (await run`debugfs -R ${`stat ${path}`} ${folder.at('root.ext4')}`).stdout;
    expect(await stat('/etc/hostname')).toMatch(/User:\s+33\s+Group:\s+44/);
    expect(await stat('/usr/bin/program')).toMatch(/Mode:\s+04755/);
    expect(await stat('/usr/bin/other-name')).toMatch(/Links: 2/);
    expect(await stat('/etc/link')).toContain('Fast link dest: "/usr/bin/program"');
  });

  test('has only features that Linux 4.9 and an old U-Boot read', async () => {
    fill('tree', []);
    await make('tree', 'root.ext4');
    const { stdout } = await run`dumpe2fs -h ${folder.at('root.ext4')}`;
    const features = /^Filesystem features:\s+(.*)$/m.exec(stdout)?.[1]?.split(' ') ?? [];
    const known = [
      ...['has_journal', 'ext_attr', 'resize_inode', 'dir_index', 'filetype', 'extent', '64bit', 'flex_bg'],
      ...['sparse_super', 'large_file', 'huge_file', 'dir_nlink', 'extra_isize', 'metadata_csum'],
    ];
    expect(features.toSorted()).toEqual(known.toSorted());
    expect(stdout).toContain('Filesystem volume name:   rootfs');
  });

  test('has the size that was chosen', async () => {
    fill('tree', []);
    await make('tree', 'root.ext4', { sizeMiB: 48 });
    expect(statSync(folder.at('root.ext4')).size).toBe(48 * 1024 * 1024);
  });

  test('fails when the content does not fit, leaves an older image alone and nothing mounted', async () => {
    folder.write('tree/large', Buffer.alloc(40 * 1024 * 1024, 7));
    folder.write('root.ext4', 'older');
    const failure = await failureOf(() => make('tree', 'root.ext4', { sizeMiB: 32 }));
    expect(failure.message).toStartWith(`Cannot make the file system "${folder.at('root.ext4')}": `);
    expect(failure.advice).toContain('large enough');
    expect(folder.read('root.ext4')).toBe('older');
    expect(existsSync(folder.at('root.ext4.part'))).toBe(false);
    expect(readFileSync('/proc/mounts', 'utf8')).not.toContain(folder.path);
    expect(existsSync(folder.at('work/tree.mount'))).toBe(false);
  });
});

describe('the size of an image', () => {
  test('is fitted to the content, in steps of 16 MiB', () => {
    expect(fittedMiB({ blocks: 0, inodes: 0 })).toBe(256);
    expect(fittedMiB({ blocks: 256 * 1024, inodes: 40_000 })).toBe(1392);
  });

  test('has inodes for many small files', () => {
    expect(bytesPerInode({ blocks: 0, inodes: 1000 }, 512)).toBe(16_384);
    expect(bytesPerInode({ blocks: 0, inodes: 30_000 }, 512)).toBe(8192);
  });
});
