import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Board, boardFolder, readBoard } from '../../../shared/packaging/board/board.ts';
import { initialEnvironment } from '../../../shared/packaging/board/initial-environment.ts';
import { makeDiskImage, packDiskImage } from '../../../shared/packaging/disk-image/disk-image.ts';
import { sizedPartitions } from '../../../shared/packaging/disk-image/genimage.ts';
import { writeOutJournal } from '../../../shared/packaging/disk-image/journal.ts';
import type { DiskImageOptions } from '../../../shared/packaging/disk-image/options.ts';
import { readRootfs } from '../../../shared/packaging/disk-image/rootfs-facts.ts';
import { command } from '../../../shared/system/process/command.ts';
import { createLog } from '../../../shared/system/terminal/log.ts';
import { failureOf } from '../../support/failure-of.ts';
import { TempFolder } from '../../support/temp-folder.ts';

const mib = 1024 * 1024;
const run = command({ deadlineMs: 120_000 });
const board: Board = readBoard('qemu-arm64');
/** Small ones; the order and the first partition's size are the board's. */
const partitions = sizedPartitions(board, { slotMiB: 48, dataMiB: 24 });

let folder: TempFolder;
beforeAll(async () => {
  folder = new TempFolder();
  await makeRootfs('rootfs.ext4', board.compatible);
  await makeDiskImage(await options('disk.img'));
}, 120_000);
afterAll(() => folder[Symbol.dispose]());

async function makeRootfs(name: string, compatible: string, sizeMiB = 16): Promise<void> {
  const tree = `${name}.tree`;
  folder.write(`${tree}/etc/rauc/system.conf`, `[system]\ncompatible=${compatible}\n`);
  folder.write(`${tree}/usr/lib/homie/release`, 'VERSION=1.2.3\n');
  await run`mkfs.ext4 -q -F -b 4096 -O ${'^metadata_csum_seed,^orphan_file'} -d ${folder.at(tree)} ${folder.at(`${name}.dense`)} ${`${sizeMiB}M`}`;
  // As a copy or a download may leave it.
  await run`cp --sparse=always ${folder.at(`${name}.dense`)} ${folder.at(name)}`;
}

async function options(output: string): Promise<DiskImageOptions> {
  const rootfs = folder.at('rootfs.ext4');
  return {
    board,
    partitions,
    rootfs,
    facts: await readRootfs(rootfs, board),
    makeBootScript: async (path) => {
      folder.write('boot.cmd', 'echo the boot script\n');
      await run`mkimage -q -A arm64 -T script -C none -d ${folder.at('boot.cmd')} ${path}`;
    },
    time: new Date(1_700_000_000_000),
    output: folder.at(output),
    log: createLog('test'),
  };
}

interface Table {
  label: string;
  partitions: { name: string; start: number; size: number; attrs?: string; uuid: string }[];
}

async function tableOf(image: string): Promise<Table> {
  const { stdout } = await run`sfdisk --json ${image}`;
  // Of util-linux's own form; the tests fail where it is another.
  return JSON.parse(stdout).partitiontable as Table;
}

/** A partition's content as a file of its own. */
async function partition(name: string, disk = folder.at('disk.img')): Promise<string> {
  const part = (await tableOf(disk)).partitions.find((candidate) => candidate.name === name);
  if (part === undefined) throw new Error(`no partition ${name}`);
  const file = folder.at(`part-${name}`);
  await run`dd if=${disk} of=${file} bs=512 skip=${part.start} count=${part.size} conv=sparse status=none`;
  return file;
}

async function readsOf(image: string, path: string): Promise<string> {
  return (await run`debugfs -R ${`cat ${path}`} ${image}`).stdout;
}

describe('the image of a card', () => {
  test('has a GPT with the labels that Linux finds the partitions by, on whole MiB, and marks the boot partition', async () => {
    const { label, partitions: found } = await tableOf(folder.at('disk.img'));
    expect(label).toBe('gpt');
    expect(found.map(({ name, size }) => [name, size / 2048])).toEqual([
      ['boot', 32],
      ['rootfs-a', 48],
      ['rootfs-b', 48],
      ['data', 24],
    ]);
    expect(found.map(({ start }) => start % 2048)).toEqual([0, 0, 0, 0]);
    expect(found[0]?.attrs).toBe('LegacyBIOSBootable');
    expect(new Set(found.map(({ uuid }) => uuid)).size).toBe(4);
    await run`sfdisk --verify ${folder.at('disk.img')}`;
    expect(statSync(folder.at('disk.img')).blocks * 512).toBeLessThan(64 * mib);
  });

  test('has the same whole system in both slots, grown to them', async () => {
    const [first, second] = [await partition('rootfs-a'), await partition('rootfs-b')];
    expect(readFileSync(first).equals(readFileSync(second))).toBe(true);
    await run`e2fsck -f -n ${first}`;
    const { stdout } = await run`dumpe2fs -h ${first}`;
    expect(stdout).toMatch(new RegExp(`Block count:\\s+${(48 * mib) / 4096}\n`));
    expect(await readsOf(first, '/usr/lib/homie/release')).toBe('VERSION=1.2.3\n');
  });

  test('has the boot script where U-Boot looks for it', async () => {
    const boot = await partition('boot');
    await run`mcopy -i ${boot} ::boot.scr ${folder.at('boot.scr')}`;
    const { stdout } = await run`mkimage -l ${folder.at('boot.scr')}`;
    expect(stdout).toContain('AArch64 Linux Script');
    expect(readFileSync(folder.at('boot.scr'), 'utf8')).toContain('echo the boot script');
  });

  test('has the status of the factory on the data partition, of root', async () => {
    const data = await partition('data');
    await run`e2fsck -f -n ${data}`;
    const status = await readsOf(data, '/rauc/central.raucs');
    expect(status).toContain('[slot.rootfs.0]');
    expect(status).toContain('[slot.rootfs.1]');
    expect(status).toContain('bundle.version=1.2.3\n');
    const digest = new Bun.CryptoHasher('sha256')
      .update(readFileSync(folder.at('rootfs.ext4')))
      .digest('hex');
    expect(status).toContain(`sha256=${digest}\n`);
    expect((await run`debugfs -R ${'stat /rauc'} ${data}`).stdout).toMatch(/User:\s+0\s+Group:\s+0/);
  });

  test("has U-Boot's environment in both copies, as fw_printenv reads it on the device", async () => {
    const read = async (disk: string): Promise<string> => {
      const copies = readFileSync(join(boardFolder(board.name), 'fw_env.config'), 'utf8');
      writeFileSync(folder.at('fw_env.config'), copies.replaceAll('/dev/vda', disk));
      return (await run`fw_printenv -c ${folder.at('fw_env.config')}`).stdout;
    };
    const expected = ['BOOT_A_LEFT=3', 'BOOT_B_LEFT=3', 'BOOT_ORDER=A B'];
    const words = (text: string): string[] => text.trim().split('\n').sort();
    expect(words(await read(folder.at('disk.img')))).toEqual(expected);
    for (const { offsetBytes } of board.environment.copies) {
      const damaged = folder.at('damaged.img');
      copyFileSync(folder.at('disk.img'), damaged);
      await run`dd if=/dev/urandom of=${damaged} bs=1 seek=${offsetBytes} count=64 conv=notrunc status=none`;
      expect(words(await read(damaged))).toEqual(expected);
    }
    const destroyed = folder.at('destroyed.img');
    copyFileSync(folder.at('disk.img'), destroyed);
    await run`dd if=/dev/urandom of=${destroyed} bs=1k seek=512 count=32 conv=notrunc status=none`;
    const defaults = folder.write('initial-env', initialEnvironment);
    await read(folder.at('disk.img'));
    writeFileSync(
      folder.at('fw_env.config'),
      folder.read('fw_env.config').replaceAll('disk.img', 'destroyed.img'),
    );
    const { stdout } = await run`fw_printenv -c ${folder.at('fw_env.config')} -f ${defaults}`;
    expect(words(stdout)).toEqual(expected);
  });

  test('is written by bmaptool from map and zstd as it is', async () => {
    const { map, packed } = await packDiskImage(folder.at('disk.img'));
    expect([map, packed]).toEqual([folder.at('disk.bmap'), folder.at('disk.img.zst')]);
    const card = folder.at('card');
    writeFileSync(card, '');
    await run`truncate -s ${statSync(folder.at('disk.img')).size} ${card}`;
    await run`bmaptool copy --bmap ${map} ${packed} ${card}`;
    await run`cmp ${card} ${folder.at('disk.img')}`;
  });

  test('is whole on a card that was used before, where the block map leaves what was there', async () => {
    const { map } = await packDiskImage(folder.at('disk.img'));
    const image = readFileSync(folder.at('disk.img'));
    // bmaptool empties a file before it writes into it, and a card it does not: the map is followed here.
    const content = Buffer.alloc(image.length, 0xa5);
    for (const [, first, last] of readFileSync(map, 'utf8').matchAll(/<Range[^>]*> (\d+)(?:-(\d+))? </g)) {
      const [start, end] = [Number(first) * 4096, (Number(last ?? first) + 1) * 4096];
      image.copy(content, start, start, end);
    }
    expect(content.equals(image)).toBe(false);
    const card = folder.at('used-card');
    writeFileSync(card, content);
    await run`sfdisk --verify ${card}`;
    for (const name of ['rootfs-a', 'rootfs-b', 'data']) {
      const part = await partition(name, card);
      await run`e2fsck -f -n ${part}`;
      await run`debugfs -R ${`dump <8> ${folder.at('journal')}`} ${part}`;
      expect(
        readFileSync(folder.at('journal'))
          .subarray(4096)
          .every((byte) => byte === 0),
      ).toBe(true);
      expect((await run`dumpe2fs ${part}`).stdout).not.toContain('ITABLE_ZEROED');
    }
    const boot = await partition('boot', card);
    await run`fsck.vfat -n ${boot}`;
  });

  test('leaves nothing beside it', () => {
    const names = readdirSync(folder.path).filter((name) => name.startsWith('disk.img'));
    expect(names).toEqual(['disk.img', 'disk.img.zst']);
  });
});

describe('writeOutJournal()', () => {
  test('leaves no hole where the journal is, and not a byte different', async () => {
    const [dense, sparse] = [folder.at('rootfs.ext4.dense'), folder.at('sparse.ext4')];
    await run`cp --sparse=always ${dense} ${sparse}`;
    const before = statSync(sparse).blocks * 512;
    await writeOutJournal(sparse);
    const { stdout } = await run`debugfs -R ${'stat <8>'} ${sparse}`;
    const journalBytes = Number(/Size: (\d+)/.exec(stdout)?.[1]);
    expect(journalBytes).toBeGreaterThan(mib);
    expect(statSync(sparse).blocks * 512 - before).toBeGreaterThanOrEqual(journalBytes - 4096);
    await run`cmp ${dense} ${sparse}`;
  });
});

describe('an image is refused', () => {
  test('of a root file system for another board', async () => {
    await makeRootfs('other.ext4', 'jetson-nano-homie');
    const failure = await failureOf(() => readRootfs(folder.at('other.ext4'), board));
    expect(failure.message).toBe(
      `Cannot make an image with "${folder.at('other.ext4')}": it is for "jetson-nano-homie", the board "qemu-arm64" is "qemu-arm64-homie"`,
    );
    expect(failure.outcome).toBe('usage');
  });

  test('of one that is not ours, or not there', async () => {
    mkdirSync(folder.at('empty'));
    await run`mkfs.ext4 -q -F -d ${folder.at('empty')} ${folder.at('foreign.ext4')} 8M`;
    const foreign = await failureOf(() => readRootfs(folder.at('foreign.ext4'), board));
    expect(foreign.message).toContain('it is no root file system of ours');
    const gone = await failureOf(() => readRootfs(folder.at('gone.ext4'), board));
    expect(gone.message).toBe(
      `Cannot read the root file system "${folder.at('gone.ext4')}": no such file or folder`,
    );
  });

  test('where the slots are too small, and an older image stays', async () => {
    folder.write('older.img', 'older');
    const small = { ...(await options('older.img')), partitions: sizedPartitions(board, { slotMiB: 8 }) };
    const failure = await failureOf(() => makeDiskImage(small));
    expect(failure.message).toContain('its 16.0 MiB do not fit into slots of 8 MiB');
    expect(folder.read('older.img')).toBe('older');
    expect(readdirSync(folder.path).filter((name) => name.startsWith('older.img.'))).toEqual([]);
  });
});
