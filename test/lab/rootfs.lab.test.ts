import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { createHash } from 'node:crypto';
import { createReadStream, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { withMounted } from '../../shared/packaging/device/mount.ts';
import { createKeys, type KeySet } from '../../shared/packaging/pki/keys.ts';
import { project } from '../../shared/packaging/project.ts';
import { pathInRoot } from '../../shared/system/files/rooted-path.ts';
import { command } from '../../shared/system/process/command.ts';
import { programNames } from '../../shared/update/slot/program-names.ts';
import { hasLoopDevices } from '../support/privileges.ts';
import { TempFolder } from '../support/temp-folder.ts';

/** A real root file system, made of Debian's packages: some minutes, and the network. */

const buildMs = 30 * 60_000;
const board = 'qemu-arm64';
const epoch = '1700000000';

describe.skipIf(!hasLoopDevices)('bun build.ts rootfs', () => {
  let folder: TempFolder;
  let keys: KeySet;
  beforeAll(async () => {
    folder = new TempFolder();
    keys = await createKeys(folder.at('keys'));
    mkdirSync(folder.at('orchestrator/src'), { recursive: true });
    folder.write('orchestrator/src/main.py', 'print("orchestrator")\n');
    folder.write('overlay/etc/motd', 'one of ours\n');
    if (!existsSync(join(project.updateHooks, 'hook'))) await build('hooks');
  }, buildMs);
  afterAll(() => folder[Symbol.dispose]());

  function build(...args: readonly string[]) {
    return command({
      deadlineMs: buildMs,
      accept: 'any',
      env: { SOURCE_DATE_EPOCH: epoch },
    })`${process.execPath} ${join(project.root, 'build.ts')} ${args}`;
  }

  async function makeRootfs(name: string, ...more: readonly string[]): Promise<string> {
    const output = folder.at(name);
    const own = ['--orchestrator', folder.at('orchestrator'), '--overlay', folder.at('overlay')];
    const args = [
      'rootfs',
      '--board',
      board,
      '--without-stack',
      '--keyring',
      keys.keyringPath,
      '--output',
      output,
    ];
    const { exitCode, stderr } = await build(...args, ...own, ...more);
    expect(stderr).toContain(`Made the file system "${output}"`);
    expect(exitCode).toBe(0);
    return stderr;
  }

  async function digestOf(name: string): Promise<string> {
    const hash = createHash('sha256');
    for await (const piece of createReadStream(folder.at(name))) hash.update(piece);
    return hash.digest('hex');
  }

  test(
    'makes the same bytes twice, each time from the packages up; and is quick with what it has fetched before',
    async () => {
      await makeRootfs('one.ext4', '--fresh');
      await makeRootfs('two.ext4', '--fresh');
      expect(await digestOf('two.ext4')).toBe(await digestOf('one.ext4'));
      const said = await makeRootfs('three.ext4');
      expect(said).toStartWith('Taking the packages of "bookworm" as fetched on ');
      expect(await digestOf('three.ext4')).toBe(await digestOf('one.ext4'));
    },
    3 * buildMs,
  );

  test('makes a system whose own tools work, with all that the next update needs', async () => {
    await command({ deadlineMs: 60_000 })`e2fsck -f -n ${folder.at('one.ext4')}`;
    await withMounted(folder.at('one.ext4'), folder.path, async (root) => {
      const text = (path: string): string => readFileSync(join(root, path), 'utf8');
      const run = command({ deadlineMs: 60_000 });
      const inside = async (...words: string[]): Promise<string> => {
        const { stdout } = await run`chroot ${root} ${words}`;
        return stdout.trim();
      };
      expect(await inside('rauc', '--version')).toMatch(/^rauc 1\./);
      for (const tool of ['usr/bin/fw_setenv', 'usr/bin/fw_printenv', 'sbin/resize2fs', 'usr/bin/unsquashfs'])
        expect(existsSync(pathInRoot(root, tool))).toBe(true);
      expect(readdirSync(join(root, 'usr/lib/homie/update-hooks')).sort()).toEqual([...programNames].sort());
      // In a chroot without /proc they do not start; by their path they are the same files.
      for (const name of programNames) {
        const { stdout } = await run`${join(root, 'usr/lib/homie/update-hooks', name)} --version`;
        expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
      }
      for (const unit of ['homie-data', 'homie-orchestrator', 'homie-post-activate', 'systemd-networkd'])
        expect(await inside('systemctl', 'is-enabled', `${unit}.service`)).toBe('enabled');
      expect(await inside('systemctl', 'is-enabled', 'var-log-journal.mount')).toBe('enabled');
      expect(await inside('getent', 'group', 'homie-update')).toStartWith('homie-update:x:');
      expect(text('etc/rauc/system.conf')).toStartWith(`[system]\ncompatible=${board}-homie\n`);
      expect(text('etc/rauc/keyring.pem')).toBe(readFileSync(keys.keyringPath, 'utf8'));
      expect(text('usr/lib/homie/release')).toMatch(/^VERSION=\d/);
      expect(text('opt/homie_orchestrator/src/main.py')).toContain('orchestrator');
      expect(text('etc/motd')).toBe('one of ours\n');
      expect(text('etc/machine-id')).toBe('');
      expect(readFileSync(pathInRoot(root, '/boot/vmlinuz')).subarray(56, 60).toString()).toBe('ARMd');
      expect(readdirSync(join(root, 'data'))).toEqual([]);
    });
  }, 300_000);

  test(
    'refuses a private key in what is laid over it, and leaves an older image alone',
    async () => {
      mkdirSync(folder.at('bad/root/.ssh'), { recursive: true });
      await command({
        deadlineMs: 10_000,
      })`openssl genpkey -algorithm ED25519 -out ${folder.at('bad/root/.ssh/id')}`;
      folder.write('older.ext4', 'older');
      const args = ['rootfs', '--board', board, '--without-stack', '--keyring', keys.keyringPath];
      const { exitCode, stderr } = await build(
        ...args,
        '--overlay',
        folder.at('bad'),
        '--output',
        folder.at('older.ext4'),
      );
      expect(stderr).toContain('Cannot make a root file system with private keys in it: "/root/.ssh/id"');
      expect(exitCode).toBe(1);
      expect(folder.read('older.ext4')).toBe('older');
      const left = readdirSync(project.cache).filter((name) => name.startsWith('root-'));
      expect(left).toEqual([]);
    },
    buildMs,
  );
});
