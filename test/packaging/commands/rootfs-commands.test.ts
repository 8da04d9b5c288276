import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { project } from '../../../shared/packaging/project.ts';
import { command } from '../../../shared/system/process/command.ts';
import { TempFolder } from '../../support/temp-folder.ts';

/** What `rootfs` and `image` refuse before they fetch, make or write anything. */

let folder: TempFolder;
beforeAll(async () => {
  folder = new TempFolder();
  folder.write('foreign.ext4', 'no file system');
  folder.write('bsp/Image', 'a kernel without its modules');
});
afterAll(() => folder[Symbol.dispose]());

async function build(...args: readonly string[]) {
  const run = command({ deadlineMs: 60_000, accept: 'any' });
  const { exitCode, stderr } = await run`${process.execPath} ${join(project.root, 'build.ts')} ${args}`;
  return { exitCode, reason: stderr.trimEnd().split('\n').at(-1) ?? '' };
}

const boards = readdirSync(join(project.skeleton, 'boards')).sort().join(', ');
const nano = ['--board', 'jetson-nano-sd'];
const cases: [args: string[], reason: string][] = [
  [['rootfs'], 'Cannot run the command without --board. See --help'],
  [['image'], 'Cannot run the command without --board. See --help'],
  [['rootfs', '--board', 'pi'], `Cannot use the board "pi": there is no such board. Boards are ${boards}`],
  [['rootfs', ...nano, '--version', 'newest'], 'Cannot make version "newest": it is not a semantic version'],
  [['rootfs', ...nano, '--kernel', '/no/bsp'], 'Cannot use --kernel "/no/bsp": no such folder'],
  [['rootfs', ...nano, '--orchestrator', '/no'], 'Cannot use --orchestrator "/no": no such folder'],
  [['rootfs', ...nano, '--debs', '/no'], 'Cannot use --debs "/no": no such folder'],
  [['image', ...nano, '--slot-mib', '0'], 'Cannot use --slot-mib "0": a number of MiB was expected'],
  [['image', ...nano, '--data-mib', '4GB'], 'Cannot use --data-mib "4GB": a number of MiB was expected'],
  [['image', ...nano, '--device', '/dev/null'], 'Cannot write the image to "/dev/null": '],
];

describe('bun build.ts', () => {
  test.each(cases)('%j is refused with one line and exit code 2', async (args, reason) => {
    const ended = await build(...args);
    expect(ended.reason).toStartWith(reason);
    expect(ended.exitCode).toBe(2);
  });

  test('image refuses what is no root file system of ours, and one that is not there', async () => {
    const foreign = await build('image', ...nano, '--rootfs', folder.at('foreign.ext4'));
    expect(foreign.reason).toContain('it is no root file system of ours');
    const gone = await build('image', ...nano, '--rootfs', folder.at('gone.ext4'));
    expect(gone.reason).toContain('no such file or folder. Use "bun build.ts rootfs" first');
    expect([foreign.exitCode, gone.exitCode]).toEqual([2, 2]);
  });

  test("image takes paths as seen from the caller's folder", async () => {
    folder.write('tree/etc/rauc/system.conf', '[system]\ncompatible=qemu-arm64-homie\n');
    folder.write('tree/usr/lib/homie/release', 'VERSION=1.2.3\n');
    const run = command({ deadlineMs: 60_000, cwd: folder.path });
    await run`mkfs.ext4 -q -F -b 4096 -d tree small.ext4 16M`;
    const sizes = ['--slot-mib', '32', '--data-mib', '16'];
    const args = ['image', '--board', 'qemu-arm64', '--rootfs', 'small.ext4', '--raw', ...sizes];
    const { stdout } =
      await run`${process.execPath} ${join(project.root, 'build.ts')} ${args} --output card.img`;
    expect(stdout).toBe(`${folder.at('card.img')}\n`);
    expect((await run`sfdisk --dump card.img`).stdout).toContain('name="rootfs-b"');
  });
});
