import { expect, test } from 'bun:test';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { Checkout } from '../../support/build/checkout.ts';
import { hasLoopDevices, isRoot } from '../../support/privileges.ts';
import { runCommand } from '../../support/run-command.ts';
import { TempFolder } from '../../support/temp-folder.ts';
import { leftOversIn, nothing } from './left-overs.ts';

/** What `npm start` does, from nothing. */

// Of a processor: what the clock says depends on what else the machine does.
test.skipIf(!hasLoopDevices)(
  'build.ts start takes a fresh checkout to an updated device in under 60 s, and leaves nothing of it',
  async () => {
    using clone = new Checkout();
    const checkout = clone.path;
    rmSync(join(checkout, '.keys'), { recursive: true, force: true });
    using temporary = new TempFolder();
    let started: Bun.Subprocess | undefined;
    const { exitCode, stdout } = await runCommand([process.execPath, 'build.ts', 'start'], {
      cwd: checkout,
      env: { ...process.env, TMPDIR: temporary.path },
      whileRunning: async (process) => {
        started = process;
      },
    });
    const seconds = Number(started?.resourceUsage()?.cpuTime.total) / 1e6;
    expect(stdout).toContain('What happened:');
    expect(stdout).toContain('Committed version');
    expect(exitCode).toBe(0);
    expect(seconds).toBeLessThan(60);
    expect(await leftOversIn(temporary.path)).toEqual(nothing);
  },
  120_000,
);

const mayNotMount = ['setpriv', '--inh-caps=-all', '--bounding-set=-sys_admin'];

test.skipIf(!isRoot)(
  'build.ts start makes the bundle where nothing may be mounted, and says what it did not try',
  async () => {
    using clone = new Checkout();
    const { exitCode, stdout, stderr } = await runCommand(
      [...mayNotMount, process.execPath, 'build.ts', 'start'],
      { cwd: clone.path },
    );
    expect(stdout).toContain('No faults in ');
    expect(stdout).toContain('What was not tried: ');
    expect(stderr.trimEnd().split('\n').at(-1)).toBe(
      'Cannot try the bundle on an embedded device: root may not mount here (CAP_SYS_ADMIN is missing). ' +
        'Run it on a machine, or in a container with all privileges (docker run --privileged), and repeat "npm start"',
    );
    expect(exitCode).toBe(1);
  },
  120_000,
);

test('build.ts all makes, signs and checks a bundle without any privilege, with no sbin folder on PATH', async () => {
  using clone = new Checkout();
  const { exitCode, stdout } = await runCommand(
    [...(isRoot ? mayNotMount : []), process.execPath, 'build.ts', 'all'],
    {
      cwd: clone.path,
      env: { ...process.env, PATH: '/usr/local/bin:/usr/bin:/bin' },
    },
  );
  expect(stdout).toContain('No faults in ');
  expect(exitCode).toBe(0);
}, 120_000);
