import { describe, expect, test } from 'bun:test';
import { linkSync, mkdirSync, rmSync, statSync, symlinkSync, truncateSync } from 'node:fs';
import { deviceBytes, formatBytes, freeBytesOn, treeBytes } from '../../../shared/system/files/disk.ts';
import { command } from '../../../shared/system/process/command.ts';
import { failureOf } from '../../support/failure-of.ts';
import { hasLoopDevices, mayMount } from '../../support/privileges.ts';
import { onSmallDisk } from '../../support/scene/small-disk.ts';
import { TempFolder } from '../../support/temp-folder.ts';

const run = command({ deadlineMs: 20_000 });

describe('freeBytesOn()', () => {
  test.skipIf(!mayMount)(
    'is what is free on the file system when the path is there, and when it is not yet',
    async () => {
      using folder = new TempFolder();
      await onSmallDisk(folder, 1024, async ({ path }) => {
        expect(freeBytesOn(path)).toBe(1024 * 1024);
        expect(freeBytesOn(`${path}/not/yet/there`)).toBe(1024 * 1024);

        await Bun.write(`${path}/file`, 'x'.repeat(256 * 1024));

        expect(freeBytesOn(`${path}/not/yet/there`)).toBe(768 * 1024);
        expect(freeBytesOn(`${path}/file/below/a/file`)).toBe(768 * 1024);
      });
    },
  );

  test('ends at the root when nothing of the path is there', () => {
    // Others write meanwhile: it counts where the root has not changed.
    for (;;) {
      const before = freeBytesOn('/');
      const free = freeBytesOn('/no/such/folder');
      if (freeBytesOn('/') !== before) continue;
      expect(free).toBe(before);
      return;
    }
  });
});

describe('treeBytes()', () => {
  test('sums the regular files below, links not followed', () => {
    using folder = new TempFolder();
    folder.write('tree/a', 'x'.repeat(10));
    folder.write('tree/deep/er/b', 'x'.repeat(200));
    folder.write('outside', 'x'.repeat(3_000));
    mkdirSync(folder.at('tree/empty'));
    symlinkSync(folder.at('outside'), folder.at('tree/link'));
    symlinkSync('..', folder.at('tree/loop'));

    expect(treeBytes(folder.at('tree'))).toBe(210);
    linkSync(folder.at('tree/a'), folder.at('tree/same'));
    expect(treeBytes(folder.at('tree'))).toBe(220);
  });

  test('is 0 when there is no folder', () => {
    expect(treeBytes('/no/such/folder')).toBe(0);
  });
});

describe('deviceBytes()', () => {
  test('is the size of a file that stands for a device, holes and all', () => {
    using folder = new TempFolder();
    truncateSync(folder.write('image', ''), 5_000_000_000);
    symlinkSync('image', folder.at('link'));

    expect(deviceBytes(folder.at('image'))).toBe(5_000_000_000);
    expect(deviceBytes(folder.at('link'))).toBe(5_000_000_000);
  });

  test('has no size when there is none', () => {
    expect(deviceBytes('/dev/no-such-device')).toBeUndefined();
  });

  test.skipIf(!hasLoopDevices)('is the size of a block device, under any name', async () => {
    using folder = new TempFolder();
    truncateSync(folder.write('image', ''), 3 * 1024 * 1024);
    const device = (await run`losetup --find --show ${folder.at('image')}`).stdout.trim();
    try {
      const { rdev } = statSync(device);
      await run`mknod ${folder.at('node')} b ${rdev >> 8} ${rdev & 0xff}`;
      symlinkSync(device, folder.at('by-label'));

      for (const name of [device, folder.at('node'), folder.at('by-label')])
        expect(deviceBytes(name)).toBe(3 * 1024 * 1024);
    } finally {
      rmSync(folder.at('node'), { force: true });
      await run`losetup --detach ${device}`;
    }
  });

  test.skipIf(!mayMount)('asks for the right numbers when they are too large for one byte each', async () => {
    using folder = new TempFolder();
    await run`mknod ${folder.at('node')} b 4095 1048575`;

    expect(() => deviceBytes(folder.at('node'))).toThrow('/sys/dev/block/4095:1048575/size');
  });
});

describe('formatBytes()', () => {
  test.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1.0 KiB'],
    [1536, '1.5 KiB'],
    [102_400, '100 KiB'],
    [1_048_575, '1.0 MiB'],
    [1_048_576, '1.0 MiB'],
    [14_680_064, '14.0 MiB'],
    [2_147_483_648, '2.0 GiB'],
    [1_099_511_627_776, '1.0 TiB'],
    [5_629_499_534_213_120, '5120 TiB'],
  ])('says %d in powers of 1024', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });
});

test('treeBytes() and freeBytesOn() fail in words when the path is too long', async () => {
  const path = `/tmp/${'a/'.repeat(2500)}`;
  const reason = 'the path or a name in it is too long';
  expect((await failureOf(() => treeBytes(path))).message).toBe(
    `Cannot list the folder "${path}": ${reason}`,
  );
  expect((await failureOf(() => freeBytesOn(path))).message).toBe(
    `Cannot find the free space of "${path}": ${reason}`,
  );
});
