import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { Failure } from '../../../shared/system/failure.ts';
import { type CommandFailure, command } from '../../../shared/system/process/command.ts';
import { programNames } from '../../../shared/update/slot/program-names.ts';
import { readRelease } from '../../../shared/update/slot/release.ts';
import { isTimerEnabledIn, writeSlotContent } from '../../../shared/update/slot/slot-content.ts';
import { mayMount } from '../../support/privileges.ts';
import { Scene, treeOf } from '../../support/scene/scene.ts';

const unit = 'homie-post-activate.service';
const units = [unit, 'homie-update-api.service'];
const programs = 'slot/usr/lib/homie/update-hooks';
const hasSystemd = Bun.which('systemd-analyze') !== null && Bun.which('systemctl') !== null;

let scene: Scene;
let executable: string;
beforeEach(() => {
  scene = new Scene();
  executable = scene.at('bundle/update-hooks/hook');
  scene.write('bundle/update-hooks/hook', 'a program\n'.repeat(10_000));
});
afterEach(() => scene[Symbol.dispose]());

function write(version = '1.1.0', isTimerEnabled?: boolean): void {
  writeSlotContent(scene.slot, { executable, version, unit: 'homie-orchestrator', isTimerEnabled });
}

describe('writeSlotContent()', () => {
  test('makes the programs hard links of one file that all may run', () => {
    write();
    expect(readdirSync(scene.at(programs)).sort()).toEqual([...programNames].sort());
    const stats = programNames.map((name) => lstatSync(scene.at(`${programs}/${name}`)));
    expect(new Set(stats.map(({ ino }) => ino)).size).toBe(1);
    expect(stats[0]?.nlink).toBe(programNames.length);
    expect((stats[0]?.mode ?? 0) & 0o7777).toBe(0o755);
    expect(readFileSync(scene.at(`${programs}/update.sh`)).equals(readFileSync(executable))).toBe(true);
  });

  test('writes the release that readRelease() reads', () => {
    write('1.2.3-rc.1');
    expect(readRelease(scene.slot)).toBe('1.2.3-rc.1');
    expect(readRelease(scene.places.root)).toBeUndefined();
  });

  test('puts update.sh where the orchestrator looks for it', () => {
    write();
    expect(readlinkSync(scene.at('slot/opt/homie_orchestrator/scripts/update.sh'))).toBe(
      '/usr/lib/homie/update-hooks/update.sh',
    );
  });

  test.skipIf(!hasSystemd).each([...units, 'homie-held-reboot.service', 'homie-no-data-reboot.service'])(
    'writes %s, and systemd finds no fault with it',
    async (name) => {
      write();
      // What every system has; all else that ours names it only wants.
      for (const target of ['sysinit', 'basic', 'shutdown'])
        scene.write(`slot/usr/lib/systemd/system/${target}.target`, '[Unit]\nDefaultDependencies=no\n');
      scene.write('slot/usr/bin/env', '', 0o755);
      const run = command({ deadlineMs: 20_000, accept: 'any' });
      const verified = await run`systemd-analyze verify --man=no --root=${scene.slot} ${name}`;
      expect(verified).toEqual({ exitCode: 0, stdout: '', stderr: '' });
    },
  );

  test.skipIf(!hasSystemd).each(units)('enables %s with the very links of systemctl', async (name) => {
    write();
    const run = command({ deadlineMs: 20_000 });
    const links = treeOf(scene.at('slot/etc'));
    expect((await run`systemctl --root=${scene.slot} is-enabled ${name}`).stdout.trim()).toBe('enabled');
    await run`systemctl --root=${scene.slot} disable ${name}`;
    const disabled = run`systemctl --root=${scene.slot} is-enabled ${name}`;
    expect(await disabled.catch((error: CommandFailure) => error.exitCode)).toBe(1);
    await run`systemctl --root=${scene.slot} enable ${name}`;
    expect(treeOf(scene.at('slot/etc'))).toEqual(links);
  });

  test.skipIf(!hasSystemd).each([
    ['homie-update-api.service', 25],
    // The network, and the reboot.
    ['homie-update-agent.service', 26],
  ])('gives %s little to do harm with', async (name, most) => {
    write();
    const run = command({ deadlineMs: 20_000, accept: 'any' });
    // systemd's own count, in tenths, of what a service of the kind could do to the device: 9.6 for one without a sandbox.
    const path = scene.at(`slot/usr/lib/systemd/system/${name}`);
    const weighed = await run`systemd-analyze security --offline=yes --no-pager --threshold=${most} ${path}`;
    expect(weighed.stdout).toContain('Overall exposure level');
    expect(weighed.exitCode).toBe(0);
  });

  test.skipIf(!hasSystemd)('enables the timer, or does not, with the very link of systemctl', async () => {
    const timer = 'homie-update.timer';
    const run = command({ deadlineMs: 20_000, accept: 'any' });
    const state = async () => (await run`systemctl --root=${scene.slot} is-enabled ${timer}`).stdout.trim();
    write();
    expect(await state()).toBe('disabled');
    write('1.1.0', true);
    expect(await state()).toBe('enabled');
    const enabled = treeOf(scene.at('slot/etc'));
    // Undefined leaves it as it is.
    write();
    expect(await state()).toBe('enabled');
    write('1.1.0', false);
    expect(await state()).toBe('disabled');
    await run`systemctl --root=${scene.slot} enable ${timer}`;
    expect(treeOf(scene.at('slot/etc'))).toEqual(enabled);
    expect(isTimerEnabledIn(scene.slot)).toBe(true);
    expect(isTimerEnabledIn(scene.places.root)).toBe(false);
  });

  test('enables the agent where the device belongs to a fleet, and only there', () => {
    const link = 'slot/etc/systemd/system/multi-user.target.wants/homie-update-agent.service';
    const writeFor = (isAgentEnabled: boolean): void =>
      writeSlotContent(scene.slot, {
        executable,
        version: '1.1.0',
        unit: 'homie-orchestrator',
        isTimerEnabled: undefined,
        isAgentEnabled,
      });
    writeFor(false);
    expect(existsSync(scene.at('slot/usr/lib/systemd/system/homie-update-agent.service'))).toBe(true);
    expect(lstatSync(scene.at(link), { throwIfNoEntry: false })).toBeUndefined();
    writeFor(true);
    expect(readlinkSync(scene.at(link))).toBe('/usr/lib/systemd/system/homie-update-agent.service');
    writeFor(false);
    expect(lstatSync(scene.at(link), { throwIfNoEntry: false })).toBeUndefined();
  });

  test('leaves the identical tree when it is run again', () => {
    write();
    const before = treeOf(scene.slot);
    const { ino } = statSync(scene.at(`${programs}/hook`));
    write();
    expect(treeOf(scene.slot)).toEqual(before);
    expect(statSync(scene.at(`${programs}/hook`)).ino).toBe(ino);
  });

  test('replaces the programs of another version, under every name', () => {
    write('1.0.0');
    scene.write('bundle/update-hooks/hook', 'a newer program\n');
    write('1.1.0');
    for (const name of programNames) expect(scene.read(`${programs}/${name}`)).toBe('a newer program\n');
    expect(readRelease(scene.slot)).toBe('1.1.0');
  });

  test('repairs changes: a mode, a copy instead of a link, a masked unit', () => {
    write();
    const before = treeOf(scene.slot);
    chmodSync(scene.at(`${programs}/hook`), 0o600);
    Bun.spawnSync(['sh', '-c', 'cp update.sh x; mv x update.sh'], { cwd: scene.at(programs) });
    Bun.spawnSync(['ln', '-sf', '/dev/null', scene.at(`slot/usr/lib/systemd/system/${unit}`)]);
    write();
    expect(treeOf(scene.slot)).toEqual(before);
    expect(existsSync(scene.at('slot/dev/null'))).toBe(false);
  });

  test('stays in the slot when absolute links lead out of it', () => {
    const outside = scene.at('outside');
    mkdirSync(outside);
    mkdirSync(scene.at(`slot/${outside}`), { recursive: true });
    for (const folder of ['usr', 'etc', 'opt']) symlinkSync(outside, scene.at(`slot/${folder}`));
    write();
    expect(readdirSync(outside)).toEqual([]);
    expect(existsSync(scene.at(`slot/${outside}/lib/homie/release`))).toBe(true);
    expect(existsSync(scene.at(`slot/${outside}/systemd/system/multi-user.target.wants`))).toBe(true);
  });

  test.skipIf(!mayMount)('refuses in one line, with noSpace, when the slot is too small', () => {
    mountTmpfs(scene.slot, '64k');
    try {
      const failure = failureOf(() => write());
      expect(failure.message).toBe(
        'Cannot put the update programs into the new slot: they take 97.7 KiB, 64.0 KiB are free in the new slot',
      );
      expect(failure.outcome).toBe('noSpace');
      expect(failure.advice).toContain('resize=true');
    } finally {
      unmount(scene.slot);
    }
  });

  test.skipIf(!mayMount)('says noSpace, too, when the slot is full after the programs', () => {
    mountTmpfs(scene.slot, '100k');
    try {
      const failure = failureOf(() => write());
      expect(failure.message).toBe(
        `Cannot write into the new slot at "${scene.slot}": no space left on the device`,
      );
      expect(failure.outcome).toBe('noSpace');
    } finally {
      unmount(scene.slot);
    }
  });
});

function failureOf(work: () => void): Failure {
  try {
    work();
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
  throw new Error('a Failure was expected');
}

function mountTmpfs(folder: string, size: string): void {
  const { exitCode } = Bun.spawnSync(['mount', '-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', folder]);
  if (exitCode !== 0) throw new Error('cannot mount a tmpfs');
}

function unmount(folder: string): void {
  Bun.spawnSync(['umount', folder]);
}
