import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import {
  chmodSync,
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
import { emulation } from '../../shared/packaging/emulation.ts';
import { readElf } from '../../shared/packaging/format/elf.ts';
import { programVersion } from '../../shared/system/version.ts';
import { programNames } from '../../shared/update/slot/program-names.ts';
import { compiledPrograms } from '../support/build/compiled-programs.ts';
import { runCommand } from '../support/run-command.ts';

/** The shipped programs in a bad environment: no variables, a hostile folder, an old kernel. */

const usualPath = '/usr/sbin:/usr/bin:/sbin:/bin';

describe('the compiled programs', () => {
  let folder: string;
  let arm64: string;
  let x64: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'homie-compiled-'));
    arm64 = await compiledPrograms({ architecture: 'arm64' });
    x64 = await compiledPrograms({ architecture: 'x64' });
  }, 120_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** Runs with exactly this environment. */
  const run = (argv: string[], env: Record<string, string> = {}, cwd = '/') => runCommand(argv, { env, cwd });

  test('are one file for arm64 that asks for no C library newer than 2.27', () => {
    const elf = readElf(join(arm64, 'hook'));
    expect(elf).toMatchObject({ architecture: 'arm64' });
    const [major = 0, minor = 0] = (elf?.glibc ?? '').split('.').map(Number);
    expect(major * 1000 + minor).toBeLessThanOrEqual(2027);
    expect(readdirSync(arm64).sort()).toEqual([...programNames].sort());
  });

  test.each(programNames)(
    '%s says its version and its help with an empty environment, as a Cortex-A57',
    async (name) => {
      const program = join(arm64, name);
      expect(await run([program, '--version'], emulation)).toEqual({
        exitCode: 0,
        stdout: `${programVersion}\n`,
        stderr: '',
      });
      const help = await run([program, '--help'], emulation);
      expect(help).toMatchObject({ exitCode: 0, stderr: '' });
      expect(help.stdout).toStartWith(`${name}: `);
      expect(help.stdout).toContain('Exit codes:');
    },
  );

  test('are dispatched by a symbolic link, and do nothing for an unknown hook', async () => {
    const link = join(folder, 'pre-install');
    symlinkSync(join(arm64, 'hook'), link);
    expect((await run([link, '--help'], emulation)).stdout).toStartWith('pre-install: ');
    const unknown = await run([join(arm64, 'hook'), 'slot-pre-reboot'], emulation);
    expect(unknown).toEqual({
      exitCode: 0,
      stdout: '',
      stderr: 'Nothing to do for the hook "slot-pre-reboot"\n',
    });
  });

  test('read no .env and run no bunfig.toml of the folder they are called in', async () => {
    const hostile = join(folder, 'hostile');
    mkdirSync(hostile);
    const trace = join(folder, 'hostile-was-here');
    writeFileSync(join(hostile, '.env'), `HOMIE_DATA=${hostile}/other\nHOMIE_TRACE=${trace}\n`);
    writeFileSync(join(hostile, 'bunfig.toml'), 'preload = ["./preload.ts"]\n');
    writeFileSync(
      join(hostile, 'preload.ts'),
      `require('node:fs').writeFileSync(${JSON.stringify(trace)}, '')\n`,
    );
    writeFileSync(join(hostile, 'package.json'), '{ "imports": { "#x": "./preload.ts" } }\n');
    for (const programs of [arm64, x64]) {
      const { stdout } = await run(
        [join(programs, 'update.sh'), 'history'],
        { HOMIE_DATA: join(folder, 'none'), ...emulation },
        hostile,
      );
      expect(stdout).toBe('No update is recorded on this device yet.\n');
      expect(existsSync(trace)).toBe(false);
    }
  });

  /** A whole pre-install by hand, with stand-ins for systemd that record their calls. */
  async function preInstall(program: string[], extra: Record<string, string> = {}, path = usualPath) {
    const place = mkdtempSync(join(folder, 'pre-install-'));
    const bin = join(place, 'bin');
    mkdirSync(join(place, 'data', 'config'), { recursive: true });
    mkdirSync(join(place, 'bundle'));
    mkdirSync(bin);
    writeFileSync(join(place, 'data', 'config', 'rooms.yaml'), 'rooms: []\n');
    writeFileSync(join(place, 'bundle', 'manifest.raucm'), '[update]\ncompatible=homie\nversion=1.1.0\n');
    for (const tool of ['systemctl', 'systemd-run']) {
      const answer = tool === 'systemctl' ? '[ "$1" != is-active ] || echo active\n' : '';
      writeFileSync(join(bin, tool), `#!/bin/sh\necho ${tool} "$@" >> ${place}/calls\n${answer}`);
      chmodSync(join(bin, tool), 0o755);
    }
    const env = {
      PATH: `${bin}:${path}`,
      HOMIE_DATA: join(place, 'data'),
      HOMIE_RUN: join(place, 'run'),
      ...extra,
    };
    const result = await run([...program, '--bundle', join(place, 'bundle')], env);
    const calls = existsSync(join(place, 'calls'))
      ? readFileSync(join(place, 'calls'), 'utf8').split('\n')
      : [];
    const backups = existsSync(join(place, 'data/backups'))
      ? readdirSync(join(place, 'data/backups')).sort()
      : [];
    return { ...result, calls, backups };
  }

  function expectPrepared({
    exitCode,
    calls,
    backups,
    stderr,
  }: Awaited<ReturnType<typeof preInstall>>): void {
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0, stderr: expect.stringContaining('Backed up') });
    expect(calls).toContain('systemctl stop homie-orchestrator');
    expect(calls).toContain('systemctl start --no-block homie-orchestrator');
    expect(backups).toHaveLength(2);
    expect(backups[0]).toMatch(/^pre-update-unknown-1\.1\.0-\d{8}T\d{6}Z\.tar\.zst$/);
  }

  test('back up as a Cortex-A57 with an environment of nothing but PATH', async () => {
    expectPrepared(await preInstall([join(arm64, 'pre-install')], emulation));
  });

  test('back up without ps, bash or anything but /bin/sh on PATH', async () => {
    const bare = join(folder, 'bare');
    mkdirSync(bare);
    symlinkSync('/bin/sh', join(bare, 'sh'));
    expectPrepared(await preInstall([join(x64, 'pre-install')], {}, bare));
  });

  test('back up with stdout and stderr closed', async () => {
    const closed = ['/bin/sh', '-c', 'exec "$0" "$@" >&- 2>&-', join(x64, 'pre-install')];
    const { exitCode, backups } = await preInstall(closed);
    expect({ exitCode, backups: backups.length }).toEqual({ exitCode: 0, backups: 2 });
  });

  test('back up when every system call newer than Linux 4.9 answers ENOSYS', async () => {
    expect(
      (await run(enosys('/usr/bin/perl', '-e', 'exit(syscall(332, 0) == -1 && $!{ENOSYS} ? 0 : 1)')))
        .exitCode,
    ).toBe(0);
    expectPrepared(await preInstall(enosys(join(x64, 'pre-install'))));
  });

  test('ask for health over HTTP when every system call newer than Linux 4.9 answers ENOSYS', async () => {
    using server = Bun.serve({
      hostname: '127.0.0.1',
      port: 0,
      fetch: () => Response.json({ status: 'healthy' }),
    });
    const place = mkdtempSync(join(folder, 'old-kernel-'));
    mkdirSync(join(place, 'config'));
    const yaml = `update:\n  health_url: "${server.url.href}"\n  health_deadline_seconds: 5\n  settle_seconds: 1\n`;
    writeFileSync(join(place, 'config', 'orchestrator.yaml'), yaml);
    const bin = join(place, 'bin');
    mkdirSync(bin);
    const slot = {
      class: 'rootfs',
      device: '/dev/null',
      bootname: 'A',
      state: 'booted',
      boot_status: 'good',
    };
    const status = JSON.stringify({
      compatible: 'homie',
      boot_primary: 'rootfs.0',
      slots: [{ 'rootfs.0': slot }],
    });
    writeFileSync(join(bin, 'rauc'), `#!/bin/sh\n[ "$2" = --detailed ] && echo '${status}'\nexit 0\n`, {
      mode: 0o755,
    });
    writeFileSync(join(bin, 'systemctl'), '#!/bin/sh\necho active\n', { mode: 0o755 });
    const env = { PATH: `${bin}:${usualPath}`, HOMIE_DATA: place, HOMIE_RUN: join(place, 'run') };
    const { exitCode, stderr } = await run(enosys(join(x64, 'post-activate')), env);
    expect({ exitCode, last: stderr.trim().split('\n').at(-1) }).toEqual({
      exitCode: 0,
      last: 'Marked slot "rootfs.0" good',
    });
  });
});

function enosys(...argv: string[]): string[] {
  return ['/usr/bin/perl', join(import.meta.dir, 'enosys.pl'), ...argv];
}
