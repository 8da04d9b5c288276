import { describe, expect, test } from 'bun:test';
import { chmodSync, chownSync, cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { command } from '../../../shared/system/process/command.ts';
import { mayMount } from '../../support/privileges.ts';
import { TempFolder } from '../../support/temp-folder.ts';

/** systemd itself reads every unit that is laid over a root file system. */

const source = join(import.meta.dir, '../../../bundle-skeleton/rootfs/usr/lib/systemd/system');
const units = readdirSync(source).filter((name) => /\.(service|timer|socket|path|target|mount)$/.test(name));
const fromOthers = ['docker', 'rauc'];
const targets = [
  'sysinit',
  'basic',
  'shutdown',
  'timers',
  'time-set',
  'time-sync',
  'network-online',
  'boot-complete',
  'multi-user',
];

function textOf(unit: string): string {
  return readFileSync(join(source, unit), 'utf8');
}

async function verify(unit: string, change: (root: TempFolder) => void = () => {}) {
  using root = new TempFolder();
  cpSync(source, root.at('usr/lib/systemd/system'), { recursive: true });
  // What every system has, and what ours only want; each program that a unit calls has to be there.
  for (const name of targets)
    root.write(`usr/lib/systemd/system/${name}.target`, '[Unit]\nDescription=x\nDefaultDependencies=no\n');
  for (const name of fromOthers)
    root.write(
      `usr/lib/systemd/system/${name}.service`,
      '[Service]\nType=oneshot\nExecStart=/usr/bin/env true\n',
    );
  for (const path of [
    'usr/bin/env',
    'usr/lib/homie/update-hooks/post-activate',
    'usr/lib/homie/update-hooks/update.sh',
  ]) {
    mkdirSync(join(root.at(path), '..'), { recursive: true });
    writeFileSync(root.at(path), '#!/bin/sh\n');
    chmodSync(root.at(path), 0o755);
  }
  change(root);
  const run = command({ deadlineMs: 30_000, accept: 'any' });
  const { exitCode, stdout, stderr } = await run`systemd-analyze verify --man=no --root=${root.path} ${unit}`;
  return { exitCode, said: `${stdout}${stderr}` };
}

describe('the units of bundle-skeleton', () => {
  test('are these', () => {
    expect(units).toContain('homie-post-activate.service');
    expect(units).toContain('homie-orchestrator.service');
    expect(units).toContain('homie-update.service');
    expect(units).toContain('homie-update.timer');
  });

  // RAUC looks for the node of the disk that a bundle lies on, and refuses to read it where there is none.
  test.each(units.filter((unit) => /update\.sh (agent|install)/.test(textOf(unit))))(
    '%s, which reads bundles, sees the nodes of the disks',
    (unit) => expect(textOf(unit)).not.toMatch(/^PrivateDevices=/m),
  );

  test.skipIf(!mayMount).each(units.filter((unit) => textOf(unit).includes('CapabilityBoundingSet=')))(
    '%s, which writes the log, may do so in the folder of the orchestrator’s user',
    async (unit) => {
      using data = new TempFolder();
      chmodSync(data.path, 0o755);
      chownSync(data.path, 1000, 1000);
      const [, kept = ''] = /^CapabilityBoundingSet=(.*)$/m.exec(textOf(unit)) ?? [];
      const set = ['-all', ...kept.split(' ').map((name) => name.toLowerCase().replace('cap_', '+'))].join(
        ',',
      );
      const run = command({ deadlineMs: 10_000, accept: 'any' });
      const { exitCode, stderr } = await run`setpriv --bounding-set=${set} touch ${data.at('update.log')}`;
      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    },
  );

  test.each(units)('%s has nothing that systemd complains of', async (unit) => {
    expect(await verify(unit)).toEqual({ exitCode: 0, said: '' });
  });

  test.each(units)('%s would be complained of when it had', async (unit) => {
    const more = (root: TempFolder) => {
      root.write(`usr/lib/systemd/system/${unit}.d/90-wrong.conf`, '[Unit]\nAfterwards=nothing\n');
    };
    expect((await verify(unit, more)).said).toContain("Unknown key 'Afterwards' in section [Unit]");
  });

  test('homie-update.service calls a program that has to be there', async () => {
    const less = (root: TempFolder) => root.remove('usr/lib/homie/update-hooks/update.sh');
    const { exitCode, said } = await verify('homie-update.service', less);
    expect(said).toContain('update.sh is not executable');
    expect(exitCode).toBe(1);
  });

  test('homie-update.timer meets every window of three quarters of an hour', async () => {
    const run = command({ deadlineMs: 30_000, env: { TZ: 'UTC' } });
    const calendar =
      /^OnCalendar=(.*)$/m.exec(await Bun.file(join(source, 'homie-update.timer')).text())?.[1] ?? '';
    const { stdout } = await run`systemd-analyze calendar --iterations=3 ${calendar}`;
    const minutes = [...stdout.matchAll(/\d\d:(\d\d):00 UTC/g)].map(([, minute]) => minute);
    expect(new Set(minutes)).toEqual(new Set(['00', '30']));
  });
});
