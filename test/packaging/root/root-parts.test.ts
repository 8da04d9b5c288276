import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, readlinkSync, symlinkSync } from 'node:fs';
import { readBoard } from '../../../shared/packaging/board/board.ts';
import { type BaseOptions, recipeOf } from '../../../shared/packaging/root/base.ts';
import { raucVersionIn, readKeyring } from '../../../shared/packaging/root/device-files.ts';
import { layKernel, linkSuiteKernel, requireBootFiles } from '../../../shared/packaging/root/kernel.ts';
import { filesWithPrivateKey, refusePrivateKeys } from '../../../shared/packaging/root/private-keys.ts';
import { requireProgramsFor } from '../../../shared/packaging/root/programs.ts';
import { packagesOf, suiteNamed } from '../../../shared/packaging/root/suite.ts';
import { command } from '../../../shared/system/process/command.ts';
import { thisArchitecture } from '../../support/build/this-architecture.ts';
import { failureOf } from '../../support/failure-of.ts';
import { mayMount } from '../../support/privileges.ts';
import { TempFolder } from '../../support/temp-folder.ts';

let folder: TempFolder;
beforeEach(() => {
  folder = new TempFolder();
});
afterEach(() => folder[Symbol.dispose]());

const run = command({ deadlineMs: 30_000 });

describe('refusePrivateKeys()', () => {
  const kinds: [kind: string, make: (path: string) => Promise<unknown>][] = [
    ['a key of RSA', (path) => run`openssl genrsa -traditional -out ${path} 2048`],
    ['a key in PKCS#8', (path) => run`openssl genpkey -algorithm ED25519 -out ${path}`],
    [
      'an encrypted key',
      (path) => run`openssl genpkey -algorithm ED25519 -aes256 -pass pass:secret -out ${path}`,
    ],
    [
      'an encrypted key of the old form',
      (path) => run`openssl genrsa -traditional -aes128 -passout pass:secret -out ${path} 2048`,
    ],
    [
      'a key of an elliptic curve',
      (path) => run`openssl ecparam -name prime256v1 -genkey -noout -out ${path}`,
    ],
  ];
  test.each(kinds)('finds %s, deep in a folder, and names it', async (_kind, make) => {
    mkdirSync(folder.at('tree/srv/deep'), { recursive: true });
    await make(folder.at('tree/srv/deep/secret'));
    const failure = await failureOf(() => refusePrivateKeys(folder.at('tree')));
    expect(failure.message).toBe(
      'Cannot make a root file system with private keys in it: "/srv/deep/secret"',
    );
  });

  test('finds one of OpenSSH, with the line ends of another system, and where two pieces of a large file meet', async () => {
    const body = `${'b3BlbnNzaC1rZXktdjEAAAAABG5vbmUA'.repeat(2)}\n`;
    const key = `-----BEGIN OPENSSH PRIVATE KEY-----\n${body}-----END OPENSSH PRIVATE KEY-----\n`;
    folder.write('tree/ssh', key);
    folder.write('tree/dos', key.replaceAll('\n', '\r\n'));
    const names = ['dos', 'ssh'];
    for (let shift = 0; shift <= 240; shift += 8) {
      folder.write(
        `tree/large${shift}`,
        Buffer.concat([Buffer.alloc(1024 * 1024 - shift, 1), Buffer.from(key)]),
      );
      names.push(`large${shift}`);
    }
    expect(filesWithPrivateKey(folder.at('tree'))).toEqual(names.sort());
  });

  test('lets a key be that everybody has, in an unchanged file of a package, and finds it in a changed one', async () => {
    await run`openssl genpkey -algorithm ED25519 -out ${folder.at('key')}`;
    folder.write('tree/usr/lib/library.so', folder.read('key'));
    symlinkSync('usr/lib', folder.at('tree/lib'));
    const sum = createHash('md5').update(folder.read('key')).digest('hex');
    folder.write('tree/var/lib/dpkg/info/library.md5sums', `${sum}  lib/library.so\n`);
    refusePrivateKeys(folder.at('tree'));
    folder.write('tree/usr/lib/library.so', `${folder.read('key')}\n`);
    const failure = await failureOf(() => refusePrivateKeys(folder.at('tree')));
    expect(failure.message).toContain('"/usr/lib/library.so"');
  });

  test('follows no link: neither in a ring, nor out of the tree', async () => {
    await run`openssl genpkey -algorithm ED25519 -out ${folder.at('outside')}`;
    mkdirSync(folder.at('tree/usr'), { recursive: true });
    symlinkSync('.', folder.at('tree/usr/X11'));
    symlinkSync('/', folder.at('tree/root'));
    symlinkSync(folder.at('outside'), folder.at('tree/key'));
    expect(filesWithPrivateKey(folder.at('tree'))).toEqual([]);
  });

  test('lets certificates, public keys, and files that only speak of keys be', async () => {
    folder.write('tree/library', "'-----BEGIN RSA PRIVATE KEY-----' and -----BEGIN PRIVATE KEY-----\\n");
    folder.write('tree/manual', 'begins with\n-----BEGIN PRIVATE KEY-----\nand then base64\n');
    await run`openssl genpkey -algorithm ED25519 -out ${folder.at('key')}`;
    await run`openssl pkey -in ${folder.at('key')} -pubout -out ${folder.at('tree/public')}`;
    await run`openssl req -x509 -key ${folder.at('key')} -subj /CN=x -out ${folder.at('tree/certificate')}`;
    refusePrivateKeys(folder.at('tree'));
  });
});

describe('packagesOf()', () => {
  const suite = suiteNamed('bookworm');
  const all = packagesOf({ suite, hasStack: true, hasSuiteKernel: true, more: ['vim', 'git'] });

  test('has what the guide lists, and what it forgot', () => {
    const guides = ['docker.io', 'docker-compose', 'python3', 'python3-pip', 'curl', 'wget', 'git'];
    // Docker starts no container where the kernel has AppArmor and nothing can load its profile.
    const forgotten = [
      'apparmor',
      'rauc',
      'rauc-service',
      'squashfs-tools',
      'libubootenv-tool',
      'linux-image-arm64',
    ];
    expect(all).toEqual(expect.arrayContaining([...guides, ...forgotten, 'vim']));
    expect(all).toEqual([...new Set(all)].sort());
  });

  test('leaves out stack and kernel, and never what updates need', () => {
    const some = packagesOf({ suite, hasStack: false, hasSuiteKernel: false, more: [] });
    expect(some.filter((name) => /docker|apparmor|python|linux-image/.test(name))).toEqual([]);
    expect(some).toEqual(expect.arrayContaining(['rauc', 'rauc-service', 'libubootenv-tool', 'e2fsprogs']));
  });

  test("knows the guide's focal, and refuses what is no name of a suite", async () => {
    expect(suiteNamed('focal')).toMatchObject({ components: 'main universe' });
    expect(suiteNamed('trixie', 'main contrib')).toMatchObject({ components: 'main contrib' });
    const failure = await failureOf(() => suiteNamed('--keyring=x'));
    expect(failure.message).toBe('Cannot use the suite "--keyring=x": a name like bookworm was expected');
  });
});

describe('recipeOf()', () => {
  const options = (): Parameters<typeof recipeOf>[0] => ({
    suite: suiteNamed('bookworm'),
    packages: ['rauc'],
    architecture: 'arm64',
    mirror: undefined,
    debs: undefined,
    time: new Date(0),
  });

  test('is another one for other packages, another suite, less of it, another mirror, or another .deb', () => {
    folder.write('debs/a.deb', 'one');
    const variants: Partial<BaseOptions>[] = [
      {},
      { packages: ['rauc', 'git'] },
      { suite: suiteNamed('trixie') },
      { suite: { ...suiteNamed('bookworm'), filters: ['path-exclude=/usr/share/sounds/*'] } },
      { mirror: 'file:///mirror' },
      { debs: folder.at('debs') },
    ];
    const recipes = variants.map((variant) => recipeOf({ ...options(), ...variant }));
    folder.write('debs/a.deb', 'two');
    recipes.push(recipeOf({ ...options(), debs: folder.at('debs') }));
    expect(new Set(recipes).size).toBe(7);
    expect(recipeOf(options())).toBe(recipes[0] ?? '');
  });

  test('refuses a folder without packages', async () => {
    mkdirSync(folder.at('empty'));
    const failure = await failureOf(() => recipeOf({ ...options(), debs: folder.at('empty') }));
    expect(failure.message).toBe(`Cannot take packages from "${folder.at('empty')}": there is no .deb in it`);
  });
});

describe('readKeyring()', () => {
  test('takes certificates, and refuses a private key beside them, or none at all', async () => {
    await run`openssl req -x509 -newkey ed25519 -nodes -subj /CN=x -keyout ${folder.at('key')} -out ${folder.at('ring')}`;
    expect(readKeyring(folder.at('ring'))).toBe(folder.read('ring'));
    folder.write('both', folder.read('ring') + folder.read('key'));
    const both = await failureOf(() => readKeyring(folder.at('both')));
    expect(both.message).toBe(`Cannot use the keyring "${folder.at('both')}": there is a PRIVATE KEY in it`);
    folder.write('none', 'hello\n');
    const none = await failureOf(() => readKeyring(folder.at('none')));
    expect(none.message).toBe(`Cannot use the keyring "${folder.at('none')}": there is no certificate in it`);
    const gone = await failureOf(() => readKeyring(folder.at('gone')));
    expect(gone.message).toContain('no such file or folder');
  });
});

describe('raucVersionIn()', () => {
  const versions: [deb: string, version: string][] = [
    ['1.8-2', '1.8.0'],
    ['1.15.2-1~bpo12+1', '1.15.2'],
    ['1:1.11.3-1', '1.11.3'],
  ];
  test.each(versions)('reads %s as %s', (deb, version) => {
    const status = `Package: rauc-service\nVersion: 9.9-1\n\nPackage: rauc\nStatus: install ok installed\nVersion: ${deb}\n`;
    folder.write('var/lib/dpkg/status', status);
    expect(raucVersionIn(folder.path)).toBe(version);
  });

  test('says so where the suite has no rauc', async () => {
    folder.write('var/lib/dpkg/status', 'Package: git\nVersion: 2\n');
    expect((await failureOf(() => raucVersionIn(folder.path))).message).toContain('has no package rauc');
  });
});

describe('requireProgramsFor()', () => {
  test('takes programs of the architecture, and refuses others, or none', async () => {
    mkdirSync(folder.at('programs'));
    copyFileSync(process.execPath, folder.at('programs/hook'));
    const here = thisArchitecture;
    const there = here === 'arm64' ? 'x64' : 'arm64';
    requireProgramsFor(folder.at('programs'), here);
    const wrong = await failureOf(() => requireProgramsFor(folder.at('programs'), there));
    expect(wrong.message).toBe(
      `Cannot make a root file system for ${there}: our programs are compiled for ${here}`,
    );
    const none = await failureOf(() => requireProgramsFor(folder.path, 'arm64'));
    expect(none.message).toBe('Cannot make a root file system for arm64: our programs are not compiled');
    expect([wrong.outcome, none.outcome]).toEqual(['usage', 'usage']);
  });
});

describe('the kernel', () => {
  const qemu = readBoard('qemu-arm64');
  const nano = readBoard('jetson-nano-sd');

  test("links the suite's newest to the names that the boot script knows", () => {
    for (const name of ['vmlinuz-6.1.0-40', 'vmlinuz-6.1.0-50', 'initrd.img-6.1.0-50'])
      folder.write(`boot/${name}`, '');
    linkSuiteKernel(folder.path, qemu);
    requireBootFiles(folder.path, qemu);
    expect(readlinkSync(folder.at(qemu.boot.kernel))).toBe('/boot/vmlinuz-6.1.0-50');
    linkSuiteKernel(folder.path, qemu);
  });

  test.skipIf(!mayMount)("takes a board's own from a folder, and misses what is not in it", async () => {
    folder.write('bsp/boot/Image', 'kernel');
    folder.write('bsp/lib/modules/4.9.337-tegra/modules.dep', '');
    layKernel(folder.at('tree'), folder.at('bsp'));
    const failure = await failureOf(() => requireBootFiles(folder.at('tree'), nano));
    expect(failure.message).toContain('.dtb not in it');
    expect(failure.advice).toContain('--kernel DIR');
    expect(folder.read('tree/boot/Image')).toBe('kernel');
  });

  test('refuses a folder that holds no kernel with its modules', async () => {
    folder.write('bsp/Image', '');
    const failure = await failureOf(() => layKernel(folder.path, folder.at('bsp')));
    expect(failure.message).toContain('"boot" and "lib/modules" were expected');
  });
});
