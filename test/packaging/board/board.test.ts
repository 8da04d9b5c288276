import { describe, expect, test } from 'bun:test';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { boardFolder, boardNames, readBoard } from '../../../shared/packaging/board/board.ts';
import { readBoardText } from '../../../shared/packaging/board/board-schema.ts';
import { parseFwEnvConfig } from '../../../shared/packaging/board/fw-env-config.ts';
import { failureOf } from '../../support/failure-of.ts';
import { TempFolder } from '../../support/temp-folder.ts';

const yaml = readFileSync(join(boardFolder('qemu-arm64'), 'board.yaml'), 'utf8');

describe('readBoard()', () => {
  test.each(boardNames())('takes %s, which has nothing but the two files', (name) => {
    const board = readBoard(name);
    expect(board.name).toBe(name);
    expect(readdirSync(boardFolder(name)).sort()).toEqual(['board.yaml', 'fw_env.config']);
    expect(board.partitions.map(({ label }) => label)).toEqual(['boot', 'rootfs-a', 'rootfs-b', 'data']);
  });

  test('gives both slots of every board the same size', () => {
    for (const name of boardNames()) {
      const [, a, b] = readBoard(name).partitions;
      expect(a?.sizeMiB).toBe(b?.sizeMiB ?? 0);
    }
  });

  test.each(['vax', '', '../boards/qemu-arm64'])('refuses "%s" and says which there are', async (name) => {
    const { message, advice } = await failureOf(() => readBoard(name));
    expect(message).toBe(`Cannot use the board "${name}": there is no such board`);
    expect(advice).toBe('Boards are jetson-nano-emmc, jetson-nano-sd, qemu-arm64');
  });
});

describe('readBoard() of a board that keeps its environment on the disk', () => {
  test.each([
    ['one copy', '/dev/vda 0x80000 0x4000\n', 'on a disk there are two copies'],
    [
      'a copy in the partition table',
      '/dev/vda 0x4000 0x4000\n/dev/vda 0x84000 0x4000\n',
      '0x4000 is not in whole blocks before the first partition',
    ],
    [
      'a copy in the first partition',
      '/dev/vda 0x80000 0x4000\n/dev/vda 0xfe000 0x4000\n',
      '0xfe000 is not in whole blocks before the first partition',
    ],
    [
      'a copy that begins within a block',
      '/dev/vda 0x80000 0x4000\n/dev/vda 0x84100 0x4000\n',
      '0x84100 is not in whole blocks before the first partition',
    ],
  ])('refuses %s', async (_what, copies, reason) => {
    using folder = new TempFolder();
    folder.write('a-board/board.yaml', yaml);
    const path = folder.write('a-board/fw_env.config', copies);
    const { message } = await failureOf(() => readBoard('a-board', folder.path));
    expect(message).toBe(`Cannot use "${path}": ${reason}`);
  });
});

describe('readBoardText()', () => {
  const without = (line: RegExp) => yaml.replace(line, '');
  test.each([
    [
      'a key is not known',
      `${yaml}colour: red\n`,
      'line 24, key colour is not known (the nearest known key is "boot")',
    ],
    ['the kernel has no name', yaml.replace('  kernel:', '  kernle:'), 'line 11, key boot.kernel is missing'],
    [
      'a partition is missing',
      without(/.*label: data.*\n/),
      'line 6, key partitions: expected the partitions boot, rootfs-a, rootfs-b and data, in this order, found a list',
    ],
    [
      'a size is a text',
      yaml.replace('size_mib: 32 ', 'size_mib: 32M '),
      'line 6, key partitions.0.size_mib: expected a number of MiB from 1 to 1048576, found "32M"',
    ],
    [
      'arguments would end the word that they stand in',
      yaml.replace('console=ttyAMA0', "'x\"; reset'"),
      'line 15, key boot.bootargs: expected arguments for the kernel, like console=ttyS0,115200n8, found "x\\"; reset"',
    ],
    [
      'a device tree is neither a path nor a variable',
      yaml.replace('$fdtcontroladdr', 'fdtcontroladdr'),
      'line 14, key boot.device_tree: expected a path in a slot, or a variable like $fdtcontroladdr, found "fdtcontroladdr"',
    ],
    [
      'a panic would never end',
      yaml.replace('panic_seconds: 5', 'panic_seconds: 0'),
      'line 17, key boot.panic_seconds: expected a number of seconds from 1 to 300, found 0',
    ],
    [
      'the environment is nowhere',
      yaml.replace('kind: disk', 'kind: cloud'),
      'line 21, key environment.kind: expected native or disk, found "cloud"',
    ],
    ['it is a list', '- a\n', 'line 1, the whole file: expected a group of keys, found a list'],
  ])('refuses it when %s', async (_what, text, reason) => {
    const { message, outcome } = await failureOf(() => readBoardText(text, 'b.yaml'));
    expect(message).toBe(`Cannot use the board "b.yaml": ${reason}`);
    expect(outcome).toBe('usage');
  });
});

describe('parseFwEnvConfig()', () => {
  test('takes two copies, comments and a sector size', () => {
    const text = '# two\n/dev/vda 0x80000 0x4000 # here\n\n/dev/vda 0x84000 16384 0x1000 4\n';
    expect(parseFwEnvConfig(text, 'f')).toEqual([
      { device: '/dev/vda', offsetBytes: 0x80000, sizeBytes: 0x4000 },
      { device: '/dev/vda', offsetBytes: 0x84000, sizeBytes: 0x4000 },
    ]);
  });

  test.each([
    ['nothing in it', '# none\n', 'it has to name one or two places, and names 0'],
    ['three copies', '/a 0 1\n/b 0 1\n/c 0 1\n', 'it has to name one or two places, and names 3'],
    [
      'no size',
      '/dev/vda 0x80000\n',
      'line 1, expected a device, an offset and a size, found "/dev/vda 0x80000"',
    ],
    ['copies that differ', '/a 0 1\n/b 0 2\n', 'its two copies differ in size'],
  ])('refuses %s', async (_what, text, reason) => {
    const { message } = await failureOf(() => parseFwEnvConfig(text, 'f'));
    expect(message).toBe(`Cannot use "f": ${reason}`);
  });
});
