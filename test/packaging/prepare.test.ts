import { describe, expect, test } from 'bun:test';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CommandResult, command } from '../../shared/system/process/command.ts';
import { isRoot } from '../support/privileges.ts';

const lock = JSON.stringify({
  packages: {
    '': { name: 'homie-rauc' },
    'node_modules/zx': { version: '8.8.5', integrity: 'sha512-zx' },
    'node_modules/@oven/bun-darwin-x64': { version: '1.4.5', integrity: 'sha512-mac', optional: true },
  },
});
const workingBun = '#!/bin/sh\necho 1.4.5\n';
const stubOfBun = '#!/bin/sh\necho "Error: Bun\'s postinstall script was not run." >&2\nexit 1\n';
const usualTools = [
  'cat',
  'cmp',
  'cp',
  'env',
  'grep',
  'id',
  'ln',
  'mkdir',
  'mktemp',
  'rm',
  'sed',
  'stat',
  'tail',
  'tr',
  'true',
  'uname',
];
const source = join(import.meta.dir, '../../shared/packaging');
/** Each name that prepare.sh may ask for, with the alternatives. */
const { stdout: everyPackage } = await command({
  deadlineMs: 5_000,
})`sh -c ${`. ${source}/prepare/emulator.sh; . ${source}/prepare/packages.sh; has_any() { false; }; packages_for all`}`;

/** A user namespace, in which another user may mount as well. */
const asRootInside = ['--user', '--map-root-user'];

/** A project that is ready, and a PATH of stand-ins where every package is installed. */
class Desk implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), 'prepare-'));
  readonly project = join(this.path, 'project');
  readonly #tools = join(this.path, 'bin');
  readonly #calls = join(this.path, 'calls');
  readonly #script = join(this.path, 'prepare.sh');

  constructor() {
    chmodSync(this.path, 0o755);
    copyFileSync(join(source, 'prepare.sh'), this.#script);
    cpSync(join(source, 'prepare'), join(this.path, 'prepare'), { recursive: true });
    mkdirSync(join(this.project, 'node_modules/.bin'), { recursive: true });
    this.write('package-lock.json', lock);
    this.write('node_modules/.homie-lock', lock);
    this.write('node_modules/.bin/bun', workingBun);
    mkdirSync(this.#tools);
    for (const tool of usualTools) symlinkSync(Bun.which(tool) ?? tool, join(this.#tools, tool));
    symlinkSync(process.execPath, join(this.#tools, 'node'));
    writeFileSync(this.#calls, '', { mode: 0o666 });
    chmodSync(this.#calls, 0o666);
    writeFileSync(join(this.path, 'absent'), '');
    writeFileSync(join(this.path, 'packages'), everyPackage.split(/[\s|]+/).join('\n'));
    this.fake('dpkg-query', `grep -vxFf ${this.path}/absent ${this.path}/packages | sed 's/^/installed /'`);
    this.fake('apt-cache', `shift; for p in "$@"; do printf '%s:\\n  Candidate: 1.0\\n' "$p"; done`);
    this.fake('apt-get', `${this.record('apt-get')}; : >${this.path}/absent`);
    this.fake('npm', this.record('npm'));
    this.fake('chown', this.record('chown'));
    this.remove('stat');
    this.fake('stat', 'echo 0');
    this.#beUser(0);
  }

  /** The script takes itself for this user, not for the one who runs the tests. */
  #beUser(uid: number): void {
    this.remove('id');
    this.fake('id', `echo ${uid}`);
  }

  /** As a shell line: notes the call. */
  record(tool: string): string {
    return `echo "${tool} $*" >>${this.#calls}`;
  }

  fake(tool: string, body: string): void {
    writeFileSync(join(this.#tools, tool), `#!/bin/sh\n${body}\n`, { mode: 0o755 });
  }

  remove(tool: string): void {
    rmSync(join(this.#tools, tool));
  }

  lack(...packages: string[]): void {
    writeFileSync(join(this.path, 'absent'), `${packages.join('\n')}\n`);
  }

  write(file: string, content: string): void {
    writeFileSync(join(this.project, file), content, { mode: file.endsWith('bun') ? 0o755 : 0o644 });
  }

  get calls(): string[] {
    return readFileSync(this.#calls, 'utf8').split('\n').filter(Boolean);
  }

  get files(): string[] {
    return readdirSync(this.project, { recursive: true, encoding: 'utf8' }).sort();
  }

  run(env: Record<string, string> = {}, ...words: string[]): Promise<CommandResult> {
    const all = { PATH: this.#tools, HOMIE_NO_INSTALL: '', TMPDIR: this.path, ...env };
    return this.#command(all)`/bin/sh ${this.#script} ${words}`;
  }

  /** As a user who is not root. */
  runAsUser(env: Record<string, string> = {}): Promise<CommandResult> {
    this.#beUser(1000);
    return this.run(env);
  }

  /** Where the first lines have changed what is mounted, for this run alone. */
  runInNamespace(
    lines: string,
    env: Record<string, string> = {},
    ...flags: string[]
  ): Promise<CommandResult> {
    const all = { HOMIE_NO_INSTALL: '', TMPDIR: this.path, ...env };
    const story = `${lines}\nPATH=${this.#tools}:$PATH\n\${RUN_BY-} /bin/sh ${this.#script} "$@"`;
    return this.#command(
      all,
    )`unshare --mount ${isRoot ? [] : asRootInside} ${flags} /bin/sh -euc ${story} sh all`;
  }

  #command(env: Record<string, string>): ReturnType<typeof command> {
    return command({ deadlineMs: 30_000, accept: 'any', cwd: this.project, env });
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

describe('prepare.sh says nothing and changes nothing', () => {
  test('when all is there', async () => {
    using desk = new Desk();
    const before = desk.files;
    expect(await desk.run()).toEqual({ exitCode: 0, stdout: '', stderr: '' });
    expect(desk.calls).toEqual([]);
    expect(desk.files).toEqual(before);
  });

  test('when this very machine is asked, with its own dpkg', async () => {
    using desk = new Desk();
    desk.remove('dpkg-query');
    expect(await desk.runInNamespace('set -- test', { HOMIE_NO_INSTALL: '1' })).toEqual({
      exitCode: 0,
      stdout: '',
      stderr: '',
    });
  });

  test('when only the tests need what is missing, and a build is asked for', async () => {
    using desk = new Desk();
    desk.lack('attr', 'qemu-user-static', 'qemu-user-binfmt');
    expect(await desk.run({ HOMIE_NO_INSTALL: '1' }, 'build')).toEqual({
      exitCode: 0,
      stdout: '',
      stderr: '',
    });
    desk.lack('squashfs-tools');
    expect((await desk.run({ HOMIE_NO_INSTALL: '1' }, 'build')).exitCode).toBe(2);
  });
});

describe('prepare.sh asks for what a purpose needs', () => {
  test.each([
    ['build', 'squashfs-tools', 'dosfstools'],
    ['start', 'dosfstools', 'attr'],
    ['test', 'attr', 'docker-compose'],
    ['all', 'docker-compose', undefined],
  ])('%s: %s, not %s', async (purpose, needed, later) => {
    using desk = new Desk();
    if (later !== undefined) {
      desk.lack(later);
      expect(await desk.run({ HOMIE_NO_INSTALL: '1' }, purpose)).toEqual({
        exitCode: 0,
        stdout: '',
        stderr: '',
      });
    }
    desk.lack(needed);
    const { exitCode, stderr } = await desk.run({ HOMIE_NO_INSTALL: '1' }, purpose);
    expect(stderr).toContain(`there is no ${needed};`);
    expect(exitCode).toBe(2);
  });

  test('and refuses a purpose that it does not know', async () => {
    using desk = new Desk();
    const { exitCode, stderr } = await desk.run({}, 'everything');
    expect(stderr).toBe(
      'Cannot prepare this machine: "everything" is no purpose; give it one of build, start, test, all\n',
    );
    expect(exitCode).toBe(2);
  });
});

describe('prepare.sh knows a package by its other names', () => {
  test('when another package that is installed provides it', async () => {
    using desk = new Desk();
    desk.lack('dbus-daemon', 'dbus', 'softhsm2');
    desk.fake(
      'dpkg-query',
      `grep -vxFf ${desk.path}/absent ${desk.path}/packages | sed 's/^/installed /'
       echo 'installed dbus-broker dbus-daemon (= 1.16), softhsm2'
       echo 'not-installed attr'`,
    );
    expect(await desk.run({ HOMIE_NO_INSTALL: '1' })).toEqual({ exitCode: 0, stdout: '', stderr: '' });
  });

  test('by the second name where the release no longer has the first', async () => {
    using desk = new Desk();
    desk.lack('qemu-user-static', 'qemu-user-binfmt');
    desk.fake(
      'apt-cache',
      `shift; for p in "$@"; do printf '%s:\\n  Candidate: %s\\n' "$p" "$([ "$p" = qemu-user-static ] && echo '(none)' || echo 1.0)"; done`,
    );
    const { exitCode } = await desk.run();
    expect(desk.calls).toEqual([expect.stringMatching(/ install --no-install-recommends qemu-user-binfmt$/)]);
    expect(exitCode).toBe(0);
  });

  test('by its provider where it is only virtual', async () => {
    using desk = new Desk();
    desk.lack('softhsm2');
    desk.fake(
      'apt-cache',
      `case "$1" in
       policy) printf 'softhsm2:\\n  Installed: (none)\\n  Candidate: (none)\\n' ;;
       showpkg) printf 'Package: softhsm2\\nVersions: \\n\\nReverse Provides: \\nsofthsm3 3.0 (= )\\nsofthsm4 4.0 (= )\\n' ;;
       esac`,
    );
    const { exitCode } = await desk.run();
    expect(desk.calls).toEqual([expect.stringMatching(/ install --no-install-recommends softhsm3$/)]);
    expect(exitCode).toBe(0);
  });
});

describe('prepare.sh refuses in one line and installs nothing', () => {
  test('when HOMIE_NO_INSTALL is set and a package is missing', async () => {
    using desk = new Desk();
    desk.lack('attr');
    const before = desk.files;
    const { exitCode, stdout, stderr } = await desk.run({ HOMIE_NO_INSTALL: '1' });
    expect(stderr).toBe(
      'Cannot prepare this machine: HOMIE_NO_INSTALL is set, and there is no attr; ' +
        `run: apt-get install -y --no-install-recommends attr\n`,
    );
    expect(stdout).toBe('');
    expect(desk.calls).toEqual([]);
    expect(desk.files).toEqual(before);
    expect(exitCode).toBe(2);
  });

  test('when HOMIE_NO_INSTALL is set and packages of both kinds are missing', async () => {
    using desk = new Desk();
    desk.lack('rauc', 'attr');
    desk.write('node_modules/.homie-lock', '{}');
    const { exitCode, stderr } = await desk.run({ HOMIE_NO_INSTALL: '1' });
    expect(stderr).toEndWith(
      'apt-get install -y --no-install-recommends rauc attr && npm ci --include=dev --include=optional\n',
    );
    expect(linesOf(stderr)).toHaveLength(1);
    expect(desk.calls).toEqual([]);
    expect(exitCode).toBe(2);
  });

  test('when HOMIE_NO_INSTALL is set and only bun is a stub', async () => {
    using desk = new Desk();
    desk.write('node_modules/.bin/bun', stubOfBun);
    const { exitCode, stderr } = await desk.run({ HOMIE_NO_INSTALL: '1' });
    expect(stderr).toEndWith('; run: node node_modules/bun/install.js\n');
    expect(linesOf(stderr)).toHaveLength(1);
    expect(exitCode).toBe(2);
  });

  test.each(['dpkg-query', 'apt-get'])(
    'when there is no %s, as on a system that is no Debian',
    async (tool) => {
      using desk = new Desk();
      desk.lack('rauc');
      desk.remove(tool);
      const { exitCode, stderr } = await desk.run();
      expect(stderr).toStartWith('Cannot prepare this machine: this system has no apt-get and dpkg-query; ');
      expect(stderr).toContain('rauc');
      expect(linesOf(stderr)).toHaveLength(1);
      expect(desk.calls).toEqual([]);
      expect(exitCode).toBe(2);
    },
  );

  test('when the user is not root and there is no sudo, or one that asks for a password', async () => {
    using desk = new Desk();
    desk.lack('attr');
    for (const sudo of ['', 'echo "sudo: a password is required" >&2; exit 1']) {
      if (sudo !== '') desk.fake('sudo', sudo);
      const { exitCode, stderr } = await desk.runAsUser();
      expect(stderr).toBe(
        'Cannot prepare this machine: neither root nor sudo is there to install attr; ' +
          'run: sudo apt-get install -y --no-install-recommends attr\n',
      );
      expect(desk.calls).toEqual([]);
      expect(exitCode).toBe(2);
    }
  });

  test('when it is run from another folder', async () => {
    using desk = new Desk();
    rmSync(join(desk.project, 'package-lock.json'));
    const { exitCode, stderr } = await desk.run();
    expect(stderr).toContain("cd into the project's folder first");
    expect(exitCode).toBe(2);
  });
});

describe('prepare.sh installs Debian packages', () => {
  test('exactly the missing ones, without fetching lists that are there', async () => {
    using desk = new Desk();
    desk.lack('attr', 'zstd');
    const { exitCode, stderr } = await desk.run();
    expect(stderr).toBe('Installing Debian packages to build, sign and try bundles: zstd attr\n');
    expect(desk.calls).toEqual([
      'apt-get -q -y -o DPkg::Lock::Timeout=300 install --no-install-recommends zstd attr',
    ]);
    expect(exitCode).toBe(0);
  });

  test('after fetching the lists when apt-get does not know them', async () => {
    using desk = new Desk();
    desk.lack('attr');
    desk.fake(
      'apt-get',
      `${desk.record('apt-get')}
       case "$*" in
       *' update') : >${desk.path}/lists ;;
       *) [ -e ${desk.path}/lists ] || { echo 'E: Unable to locate package attr'; exit 100; }; : >${desk.path}/absent ;;
       esac`,
    );
    const { exitCode, stderr } = await desk.run();
    expect(desk.calls.map((call) => call.split(' ')[5])).toEqual(['install', 'update', 'install']);
    expect(linesOf(stderr)).toHaveLength(1);
    expect(exitCode).toBe(0);
  });

  test('through sudo and without a question when the user is not root', async () => {
    using desk = new Desk();
    desk.lack('attr');
    chmodSync(join(desk.path, 'absent'), 0o666);
    desk.fake('sudo', `${desk.record('sudo')}; shift; exec "$@"`);
    const { exitCode, stderr } = await desk.runAsUser({ TMPDIR: '/tmp' });
    expect(linesOf(stderr)).toHaveLength(1);
    expect(desk.calls[1]).toStartWith('sudo -n env DEBIAN_FRONTEND=noninteractive apt-get ');
    expect(desk.calls[2]).toStartWith('apt-get ');
    expect(exitCode).toBe(0);
  });

  test('or fails with one clear line when apt-get does', async () => {
    using desk = new Desk();
    desk.lack('attr');
    desk.fake(
      'apt-get',
      'echo "Reading package lists..."; echo "E: Unable to locate package attr" >&2; echo more; exit 100',
    );
    const { exitCode, stderr } = await desk.run();
    expect(linesOf(stderr)).toEqual([
      'Installing Debian packages to build, sign and try bundles: attr',
      'Cannot install the Debian packages attr: E: Unable to locate package attr',
    ]);
    expect(exitCode).toBe(1);
    expect(leftIn(desk.path)).toEqual([]);
  });

  test('or fails when apt-get ends well and the package is still not there', async () => {
    using desk = new Desk();
    desk.lack('attr');
    desk.fake('apt-get', 'exit 0');
    const { exitCode, stderr } = await desk.run();
    expect(stderr).toContain('Cannot install the Debian packages attr: ');
    expect(exitCode).toBe(1);
  });
});

describe('prepare.sh lets no package start a service', () => {
  /** A /usr/sbin that is seen only by this run, and whose content is left for us. */
  function sbinOf(desk: Desk): { policy: string; mount: string } {
    const folder = join(desk.path, 'sbin');
    mkdirSync(folder);
    return { policy: join(folder, 'policy-rc.d'), mount: `mount --bind ${folder} /usr/sbin` };
  }
  const askPolicy = 'rc=0; /usr/sbin/policy-rc.d docker start || rc=$?';

  test('when it installs Docker, now or at the next boot, and takes the policy away again', async () => {
    using desk = new Desk();
    const { policy, mount } = sbinOf(desk);
    desk.lack('docker-registry');
    desk.fake('apt-get', `${askPolicy}; ${desk.record('policy $rc')}; : >${desk.path}/absent`);
    // Only the registry's service was not there before.
    desk.fake('systemctl', `${desk.record('systemctl')}; case "$*" in *is-enabled*registry*) exit 1 ;; esac`);
    expect((await desk.runInNamespace(mount)).exitCode).toBe(0);
    expect(desk.calls.filter((call) => !call.includes('is-enabled'))).toEqual([
      expect.stringMatching(/^policy 101 /),
      'systemctl disable docker-registry.service',
    ]);
    expect(existsSync(policy)).toBe(false);
  });

  test('and takes the policy away when the installation fails', async () => {
    using desk = new Desk();
    const { policy, mount } = sbinOf(desk);
    desk.lack('docker-registry');
    desk.fake('apt-get', `${askPolicy}; ${desk.record('policy $rc')}; exit 100`);
    expect((await desk.runInNamespace(mount)).exitCode).toBe(1);
    expect(desk.calls[0]).toStartWith('policy 101 ');
    expect(existsSync(policy)).toBe(false);
  });

  test("and leaves a machine's own policy as it is", async () => {
    using desk = new Desk();
    const { policy, mount } = sbinOf(desk);
    writeFileSync(policy, 'own');
    desk.lack('docker-registry');
    expect((await desk.runInNamespace(mount)).exitCode).toBe(0);
    expect(readFileSync(policy, 'utf8')).toBe('own');
  });

  test('and has no policy for packages without a service', async () => {
    using desk = new Desk();
    const { mount } = sbinOf(desk);
    desk.lack('attr');
    desk.fake('apt-get', `[ ! -e /usr/sbin/policy-rc.d ] && : >${desk.path}/absent`);
    expect((await desk.runInNamespace(mount)).exitCode).toBe(0);
  });
});

describe('prepare.sh installs npm packages', () => {
  test('when the lock file has changed, development packages too under NODE_ENV=production', async () => {
    using desk = new Desk();
    desk.write('node_modules/.homie-lock', '{}');
    const { exitCode, stderr } = await desk.run({ NODE_ENV: 'production' });
    expect(stderr).toBe('Installing npm packages, as package-lock.json says\n');
    expect(desk.calls).toEqual(['npm ci --include=dev --include=optional --no-audit --no-fund']);
    expect(readFileSync(join(desk.project, 'node_modules/.homie-lock'), 'utf8')).toBe(lock);
    expect(exitCode).toBe(0);
    expect(await desk.run()).toEqual({ exitCode: 0, stdout: '', stderr: '' });
  });

  test("and gives them to the owner of the clone where root works in a user's", async () => {
    using desk = new Desk();
    desk.write('node_modules/.homie-lock', '{}');
    desk.fake('stat', 'echo 1000');
    expect((await desk.run()).exitCode).toBe(0);
    expect(desk.calls.at(-1)).toBe('chown -R --reference=. node_modules');
  });

  test('not when npm ci was run by hand and its record says the same', async () => {
    using desk = new Desk();
    rmSync(join(desk.project, 'node_modules/.homie-lock'));
    const record = { packages: { 'node_modules/zx': { version: '8.8.5', integrity: 'sha512-zx' } } };
    desk.write('node_modules/.package-lock.json', JSON.stringify(record));
    expect(await desk.run({ HOMIE_NO_INSTALL: '1' })).toEqual({ exitCode: 0, stdout: '', stderr: '' });
    expect(existsSync(join(desk.project, 'node_modules/.homie-lock'))).toBe(false);
    expect((await desk.run()).exitCode).toBe(0);
    expect(readFileSync(join(desk.project, 'node_modules/.homie-lock'), 'utf8')).toBe(lock);
    expect(desk.calls).toEqual([]);
  });

  test.each([
    ['another version', { 'node_modules/zx': { version: '8.8.4', integrity: 'sha512-zx' } }],
    ['another content', { 'node_modules/zx': { version: '8.8.5', integrity: 'sha512-else' } }],
    ['nothing', {}],
  ])("when npm's record says %s", async (_what, packages) => {
    using desk = new Desk();
    rmSync(join(desk.project, 'node_modules/.homie-lock'));
    desk.write('node_modules/.package-lock.json', JSON.stringify({ packages }));
    expect((await desk.run()).exitCode).toBe(0);
    expect(desk.calls).toHaveLength(1);
  });

  test('or fails with one clear line, and begins again next time, when npm does', async () => {
    using desk = new Desk();
    desk.write('node_modules/.homie-lock', '{}');
    desk.fake(
      'npm',
      `${desk.record('npm')}
       printf 'npm warn old\\nnpm error code E404\\nnpm error 404 Not Found: zx\\nnpm error A complete log is there\\n' >&2
       exit 1`,
    );
    for (const _time of [1, 2]) {
      const { exitCode, stderr } = await desk.run();
      expect(linesOf(stderr)).toEqual([
        'Installing npm packages, as package-lock.json says',
        'Cannot install the npm packages: npm error 404 Not Found: zx',
      ]);
      expect(exitCode).toBe(1);
    }
    expect(desk.calls).toHaveLength(2);
    expect(existsSync(join(desk.project, 'node_modules/.homie-lock'))).toBe(false);
  });

  test("and finishes bun when npm has left out bun's install script", async () => {
    using desk = new Desk();
    desk.write('node_modules/.bin/bun', stubOfBun);
    mkdirSync(join(desk.project, 'node_modules/bun'));
    desk.write(
      'node_modules/bun/install.js',
      `require('node:fs').writeFileSync('node_modules/.bin/bun', ${JSON.stringify(workingBun)});`,
    );
    expect(await desk.run()).toEqual({ exitCode: 0, stdout: '', stderr: '' });
    expect(readFileSync(join(desk.project, 'node_modules/.bin/bun'), 'utf8')).toBe(workingBun);
    expect(desk.calls).toEqual([]);
  });

  test('or fails when bun does not run after all that', async () => {
    using desk = new Desk();
    desk.write('node_modules/.bin/bun', stubOfBun);
    mkdirSync(join(desk.project, 'node_modules/bun'));
    desk.write('node_modules/bun/install.js', `console.error('Failed to find package'); process.exit(1);`);
    const { exitCode, stderr } = await desk.run();
    expect(desk.calls).toHaveLength(1);
    expect(linesOf(stderr).at(-1)).toBe('Cannot install bun: Failed to find package');
    expect(existsSync(join(desk.project, 'node_modules/.homie-lock'))).toBe(false);
    expect(exitCode).toBe(1);
  });
});

/** Since Linux 6.7 a user namespace has a registry of its own, empty; before, this mount is refused. */
const ownRegistry = 'mount -t binfmt_misc none /proc/sys/fs/binfmt_misc';
const { exitCode: registryExitCode } = await command({
  deadlineMs: 5_000,
  accept: 'any',
})`unshare --mount --user --map-root-user /bin/sh -c ${ownRegistry}`;
const hasOwnRegistry = registryExitCode === 0;

const emulatorTests = describe.skipIf(process.arch === 'arm64' || !hasOwnRegistry);
emulatorTests('prepare.sh sets up the emulator', () => {
  const flags = isRoot ? asRootInside : [];
  const notMounted = `${ownRegistry}\nmount -t tmpfs none /proc/sys/fs/binfmt_misc`;
  const noUpdateBinfmts = '[ ! -e /usr/share/binfmts ] || mount -t tmpfs none /usr/share/binfmts';
  const noSystemd = 'mount --bind /dev/null /usr/lib/systemd/systemd-binfmt';
  const line = 'Setting up the emulator for arm64 programs, which the tests run as they ship\n';

  test.each([
    ['by mounting binfmt_misc where it is not mounted', [notMounted]],
    ['by update-binfmts', [ownRegistry]],
    [
      'by systemd-binfmt where update-binfmts does not know qemu, as on Debian 13',
      [ownRegistry, noUpdateBinfmts],
    ],
    ['by itself where there is neither', [ownRegistry, noUpdateBinfmts, noSystemd]],
    ['where nothing is mounted and there is neither', [notMounted, noUpdateBinfmts, noSystemd]],
  ])('%s', async (_how, lines) => {
    using desk = new Desk();
    const { exitCode, stderr } = await desk.runInNamespace(lines.join('\n'), {}, ...flags);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: line });
  });

  test('and needs no folder of qemu in /etc, where newer ones no longer look', async () => {
    using desk = new Desk();
    const hidden = '[ ! -e /etc/qemu-binfmt ] || mount -t tmpfs none /etc/qemu-binfmt';
    const { exitCode, stderr } = await desk.runInNamespace(`${ownRegistry}\n${hidden}`, {}, ...flags);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: line });
  });

  const hasUpdateBinfmts =
    existsSync('/usr/share/binfmts/qemu-aarch64') && existsSync('/usr/sbin/update-binfmts');
  const byUpdateBinfmts = ['update-binfmts', notMounted, 'update-binfmts --enable qemu-aarch64'] as const;
  test.each([
    ...(hasUpdateBinfmts ? [byUpdateBinfmts] : []),
    [
      'systemd-binfmt',
      `${notMounted}\n${noUpdateBinfmts}`,
      '/usr/lib/systemd/systemd-binfmt /usr/lib/binfmt.d/qemu-aarch64.conf',
    ] as const,
  ])(
    'not by itself but with the line to run, with %s, when HOMIE_NO_INSTALL is set',
    async (_with, lines, last) => {
      using desk = new Desk();
      const { exitCode, stderr } = await desk.runInNamespace(lines, { HOMIE_NO_INSTALL: '1' }, ...flags);
      expect(stderr).toBe(
        'Cannot prepare this machine: HOMIE_NO_INSTALL is set, and there is no emulator for arm64 programs; ' +
          `run: mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc && ${last}\n`,
      );
      expect(exitCode).toBe(2);
    },
  );

  const cannot = `${line}Cannot set up the emulator for arm64 programs: `;
  const bare = `${Bun.which('setpriv')} --inh-caps=-all --bounding-set=-all`;
  const goesOn = '; the rest goes on without it\n';

  test('or says why not, and goes on, where the kernel refuses the mount', async () => {
    using desk = new Desk();
    desk.fake('mount', 'echo "mount: unknown filesystem type \'binfmt_misc\'." >&2; exit 32');
    const { exitCode, stderr } = await desk.runInNamespace(notMounted, {}, ...flags);
    expect(stderr).toBe(`${cannot}mount: unknown filesystem type 'binfmt_misc'.${goesOn}`);
    expect(exitCode).toBe(0);
  });

  test('or says why not, and goes on, where root may not mount, as in a plain container', async () => {
    using desk = new Desk();
    const { exitCode, stderr } = await desk.runInNamespace(notMounted, { RUN_BY: bare }, ...flags);
    expect(stderr).toBe(`${cannot}mount: /proc/sys/fs/binfmt_misc: permission denied.${goesOn}`);
    expect(exitCode).toBe(0);
  });

  test('or says why not where the arm64 programs do not run with it', async () => {
    using desk = new Desk();
    const broken = 'mount --bind /dev/null /usr/aarch64-linux-gnu/lib/ld-linux-aarch64.so.1';
    const { exitCode, stderr } = await desk.runInNamespace(`${ownRegistry}\n${broken}`, {}, ...flags);
    expect(stderr).toMatch(
      /^Setting up .*\nCannot set up the emulator for arm64 programs: .*ld-linux-aarch64/,
    );
    expect(stderr).toEndWith(goesOn);
    expect(exitCode).toBe(0);
  });

  test('not for a build, which needs none', async () => {
    using desk = new Desk();
    const line = `${ownRegistry}\nset -- build`;
    expect(await desk.runInNamespace(line, {}, ...flags)).toEqual({ exitCode: 0, stdout: '', stderr: '' });
  });
});

function linesOf(text: string): string[] {
  return text.split('\n').filter(Boolean);
}

/** Files that mktemp made and that were not removed. */
function leftIn(folder: string): string[] {
  return readdirSync(folder).filter((name) => name.startsWith('tmp.'));
}
