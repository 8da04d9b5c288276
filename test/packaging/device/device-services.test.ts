import { afterAll, beforeAll, beforeEach, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EmbeddedDevice } from '../../../shared/packaging/device/running-device.ts';
import { writeService } from '../../../shared/packaging/device/services.ts';
import { parseScheduled } from '../../../shared/stack/shutdown.ts';
import type { CommandResult } from '../../../shared/system/process/command.ts';
import { hasLoopDevices } from '../../support/privileges.ts';
import { until } from '../../support/until.ts';
import { makeParts, makeSmallDevice, type Parts, tracesOf } from './device-parts.ts';

setDefaultTimeout(10_000);

/** Those with these words in their command line or environment, but for the shells that lead to them. */
function processesWith(word: string): string[] {
  return tracesOf(word).filter((trace) => /^\d+ (?!sh -c|\/bin\/sh|env )/.test(trace));
}

describe.skipIf(!hasLoopDevices)('systemd on the embedded device', () => {
  let parts: Parts;
  let device: EmbeddedDevice;
  beforeAll(async () => {
    parts = await makeParts();
    device = await makeSmallDevice(parts, { environment: { HOMIE_STOP_SECONDS: '1' } });
  });
  afterAll(async () => {
    await device[Symbol.asyncDispose]();
    parts[Symbol.dispose]();
  });
  beforeEach(() => {
    for (const name of readdirSync(device.unitsFolder))
      if (/^(hang|fail)-/.test(name)) rmSync(join(device.unitsFolder, name));
  });

  const systemctl = (...args: string[]): Promise<CommandResult> => device.run('systemctl', args);
  const systemdRun = (...args: string[]): Promise<CommandResult> => device.run('systemd-run', args);
  const isActive = async (unit: string): Promise<[string, number]> => {
    const { stdout, exitCode } = await systemctl('is-active', unit);
    return [stdout.trim(), exitCode];
  };

  test('shutdown keeps what is scheduled where busctl tells it, until it is cancelled', async () => {
    const login = ['org.freedesktop.login1', '/org/freedesktop/login1', 'org.freedesktop.login1.Manager'];
    const ask = async () =>
      parseScheduled((await device.run('busctl', ['get-property', ...login, 'ScheduledShutdown'])).stdout);
    expect(await ask()).toBeUndefined();
    expect((await device.run('shutdown', ['-r', '+30', 'a word to all'])).exitCode).toBe(0);
    const scheduled = await ask();
    expect(scheduled?.mode).toBe('reboot');
    expect(Math.abs((scheduled?.at.getTime() ?? 0) - Date.now() - 30 * 60_000)).toBeLessThan(60_000);
    expect((await device.run('shutdown', ['-c'])).exitCode).toBe(0);
    expect(await ask()).toBeUndefined();
    expect((await device.run('shutdown', ['-r', 'tonight'])).exitCode).toBe(1);
    expect((await device.run('shutdown', ['-h', '+1'])).exitCode).toBe(1);
  });

  describe('systemctl', () => {
    test('start runs the process, and stop ends it', async () => {
      device.addService('plain', ['sleep', '1111']);
      expect(await isActive('plain')).toEqual(['inactive', 3]);
      expect(await systemctl('start', 'plain')).toEqual({ exitCode: 0, stdout: '', stderr: '' });
      expect(await isActive('plain.service')).toEqual(['active', 0]);
      expect(processesWith('sleep\x001111')).toHaveLength(1);
      expect((await systemctl('start', 'plain')).exitCode).toBe(0);
      expect(processesWith('sleep\x001111')).toHaveLength(1);
      expect(await systemctl('stop', 'plain.service')).toEqual({ exitCode: 0, stdout: '', stderr: '' });
      expect(await isActive('plain')).toEqual(['inactive', 3]);
      expect(processesWith('sleep\x001111')).toEqual([]);
      expect((await systemctl('stop', 'plain')).exitCode).toBe(0);
    });

    test('restart replaces the process', async () => {
      device.addService('again', ['sleep', '1112']);
      await systemctl('restart', 'again');
      const [before] = processesWith('sleep\x001112');
      expect((await systemctl('restart', 'again')).exitCode).toBe(0);
      const after = processesWith('sleep\x001112');
      expect(after).toHaveLength(1);
      expect(after[0]).not.toBe(before);
      await systemctl('stop', 'again');
    });

    test('starts one process when two ask for it at once', async () => {
      device.addService('wanted', ['sleep', '1113']);
      const codes = await Promise.all([systemctl('start', 'wanted'), systemctl('start', 'wanted')]);
      expect(codes.map(({ exitCode }) => exitCode)).toEqual([0, 0]);
      expect(processesWith('sleep\x001113')).toHaveLength(1);
      await systemctl('stop', 'wanted');
    });

    test('stop kills what ignores SIGTERM, with what it has started in other sessions', async () => {
      device.addService('stubborn', [
        'sh',
        '-c',
        "trap '' TERM; setsid sleep 1114 & while :; do sleep 0.1; done",
      ]);
      await systemctl('start', 'stubborn');
      await until(() => processesWith('sleep\x001114').length === 1);
      expect((await systemctl('stop', 'stubborn')).exitCode).toBe(0);
      expect(processesWith('sleep\x001114')).toEqual([]);
      expect((await systemctl('show', '-p', 'Result', '--value', 'stubborn')).stdout).toBe('timeout\n');
    });

    test('stop continues when its caller is killed', async () => {
      device.addService('stubborn', ['sh', '-c', "trap '' TERM; while :; do sleep 0.1; done"]);
      await systemctl('restart', 'stubborn');
      const asking = systemctl('stop', 'stubborn');
      await until(() => tracesOf('unit-job\0stop\0stubborn').length === 1);
      const [client = ''] = tracesOf('systemctl\0stop\0stubborn');
      process.kill(Number.parseInt(client, 10), 'SIGKILL');
      expect((await asking).exitCode).toBe(137);
      await until(async () => (await isActive('stubborn'))[0] === 'failed');
    });

    test.each([
      ['start', 5, 'Failed to start none.service: Unit none.service not found.\n'],
      ['stop', 5, 'Failed to stop none.service: Unit none.service not loaded.\n'],
      ['restart', 5, 'Failed to restart none.service: Unit none.service not found.\n'],
      ['is-active', 4, ''],
      ['is-enabled', 1, 'Failed to get unit file state for none.service: No such file or directory\n'],
      ['cat', 1, 'No files found for none.service.\n'],
      [
        'reset-failed',
        1,
        'Failed to reset failed state of unit none.service: Unit none.service not loaded.\n',
      ],
      ['frobnicate', 1, 'Unknown command verb frobnicate.\n'],
    ])('%s answers as systemd does when there is no such unit', async (verb, exitCode, stderr) => {
      expect(await systemctl(verb, 'none')).toMatchObject({ exitCode, stderr });
    });

    test('is-active says failed when the process ended with an error, until reset-failed', async () => {
      device.addService('broken', ['sh', '-c', 'exit 3']);
      expect((await systemctl('start', 'broken')).exitCode).toBe(0);
      await until(async () => (await isActive('broken'))[0] === 'failed');
      expect((await systemctl('show', '-p', 'Result,ExecMainStatus', 'broken')).stdout).toBe(
        'Result=exit-code\nExecMainStatus=3\n',
      );
      await systemctl('reset-failed', 'broken');
      expect(await isActive('broken')).toEqual(['inactive', 3]);
    });

    test('start waits for a oneshot and answers with its failure', async () => {
      const done = join(device.folder, 'done');
      device.addService('once', ['sh', '-c', `sleep 0.2; : > ${done}`], { oneshot: true });
      device.addService('once-broken', ['false'], { oneshot: true });
      expect((await systemctl('start', 'once')).exitCode).toBe(0);
      expect(existsSync(done)).toBe(true);
      expect(await systemctl('start', 'once-broken')).toMatchObject({
        exitCode: 1,
        stderr: 'Job for once-broken.service failed because the control process exited with error code.\n',
      });
      expect((await systemctl('start', '--no-block', 'once-broken')).exitCode).toBe(0);
    });

    test('show, cat and is-enabled tell of a running service', async () => {
      device.addService('shown', ['sleep', '1115']);
      await systemctl('start', 'shown');
      const { stdout } = await systemctl('show', '-p', 'MainPID', '--value', 'shown');
      expect(readFileSync(`/proc/${stdout.trim()}/cmdline`, 'latin1')).toBe('sleep\x001115\0');
      expect((await systemctl('show', '--property=LoadState,SubState', 'shown')).stdout).toBe(
        'LoadState=loaded\nSubState=running\n',
      );
      expect((await systemctl('show', '-p', 'LoadState', 'none')).stdout).toBe('LoadState=not-found\n');
      expect((await systemctl('cat', 'shown')).stdout).toContain('ExecStart=sleep 1115\n');
      expect(await systemctl('is-enabled', 'shown')).toMatchObject({ exitCode: 0, stdout: 'enabled\n' });
      expect(await systemctl('is-active', '--quiet', 'shown')).toMatchObject({ exitCode: 0, stdout: '' });
      await systemctl('stop', 'shown');
    });

    test("gives a service the booted system's environment, not the caller's", async () => {
      const seen = join(device.folder, 'seen');
      device.addService('looking', ['sh', '-c', `env > ${seen}`], { oneshot: true });
      await device.run('systemctl', ['start', 'looking'], { env: { RAUC_SLOT_NAME: 'rootfs.1' } });
      const words = readFileSync(seen, 'utf8');
      expect(words).toContain(`HOMIE_BOOT_ID=${device.environment['HOMIE_BOOT_ID']}\n`);
      expect(words).not.toMatch(/^(RAUC_SLOT_NAME|HOME|SHLVL)=/m);
    });

    test('hangs or fails when told to, and logs each call', async () => {
      device.addService('plain', ['sleep', '1116']);
      writeFileSync(join(device.unitsFolder, 'fail-start'), 'Job for plain.service timed out.\n');
      expect(await systemctl('start', 'plain')).toMatchObject({
        exitCode: 1,
        stderr: 'Job for plain.service timed out.\n',
      });
      writeFileSync(join(device.unitsFolder, 'hang-stop'), '');
      const hanging = device.run('systemctl', ['stop', 'plain'], { deadlineMs: 200 });
      expect(await hanging.catch((error: Error) => error.message)).toContain('did not end within 0.2 s');
      const log = readFileSync(join(device.folder, 'systemctl.log'), 'utf8');
      expect(log).toMatch(/^\d{4}-\d\d-\d\dT[\d:]{8}\.\d{3}Z systemctl stop plain\n$/m);
    });

    test('reads quotes and dollars of a command line as data', async () => {
      const seen = join(device.folder, 'words');
      device.addService('quoting', ['sh', '-c', `printf '%s|' "$@" > ${seen}`, 'sh', "it's", '$HOME', '']);
      await systemctl('start', 'quoting');
      await until(() => existsSync(seen) && readFileSync(seen, 'utf8') !== '');
      expect(readFileSync(seen, 'utf8')).toBe("it's|$HOME||");
      expect(() => writeService(device.unitsFolder, '../up', ['true'])).toThrow(
        'Cannot add the service "../up"',
      );
    });
  });

  describe('systemd-run', () => {
    test('fires when the one who set it was killed with its whole group', async () => {
      const fired = join(device.folder, 'fired');
      const script = `systemd-run --quiet --unit=rescue --on-active=3s --collect -- sh -c ': > ${fired}'; kill -KILL 0`;
      expect((await device.run('setsid', ['--wait', 'sh', '-c', script])).exitCode).not.toBe(0);
      expect(existsSync(fired)).toBe(false);
      expect(await isActive('rescue.timer')).toEqual(['active', 0]);
      await until(() => existsSync(fired));
      await until(async () => (await isActive('rescue.timer'))[1] === 4);
      await until(async () => (await isActive('rescue.service'))[1] === 4);
    });

    test.each(['start', 'restart'])(
      'a service asks for a %s without waiting, and ends before the job runs',
      async (verb) => {
        // A machine so busy that the job's own process comes late.
        const env = join(device.binFolder, 'env');
        writeFileSync(
          env,
          '#!/bin/sh\ncase "$*" in *setsid*asked-for*) sleep 0.3 ;; esac\nexec /usr/bin/env "$@"\n',
          { mode: 0o755 },
        );
        try {
          device.addService('asked-for', ['sleep', '1119']);
          const ask = ['systemctl', verb, '--no-block', 'asked-for'];
          await systemdRun('--unit=asker', '--collect', '--', ...ask);
          await until(async () => (await isActive('asker'))[1] === 4);
          await until(async () => (await isActive('asked-for'))[1] === 0, 5_000);
        } finally {
          rmSync(env);
          await systemctl('stop', 'asked-for');
        }
      },
    );

    test('does not fire when its timer was stopped, and frees its name', async () => {
      const fired = join(device.folder, 'fired-late');
      const set = (): Promise<CommandResult> =>
        systemdRun('--unit=late', '--on-active=1', '--collect', '--', 'touch', fired);
      expect((await set()).stderr).toContain('Running timer as unit: late.timer\n');
      expect(await set()).toMatchObject({
        exitCode: 1,
        stderr:
          'Failed to start transient timer unit: Unit late.timer was already loaded or has a fragment file.\n',
      });
      const waiting = (): string[] =>
        processesWith('HOMIE_UNIT=').filter((trace) => trace.includes('late.timer'));
      await until(() => waiting().length === 1);
      expect((await systemctl('stop', 'late.timer')).exitCode).toBe(0);
      expect(await systemctl('stop', 'late.timer')).toMatchObject({
        exitCode: 5,
        stderr: 'Failed to stop late.timer: Unit late.timer not loaded.\n',
      });
      expect(waiting()).toEqual([]);
      expect((await set()).exitCode).toBe(0);
      await systemctl('stop', 'late.timer');
      expect(existsSync(fired)).toBe(false);
    });

    test('runs a service that outlives its caller and can be stopped', async () => {
      expect((await systemdRun('--unit=now', '--setenv=WHO=me you', 'sleep', '1117')).exitCode).toBe(0);
      expect(processesWith('sleep\x001117')[0]).toContain('WHO=me you');
      expect(await isActive('now')).toEqual(['active', 0]);
      await systemctl('stop', 'now');
      expect(processesWith('sleep\x001117')).toEqual([]);
      await until(async () => (await isActive('now'))[1] === 4);
    });

    test('keeps the name of a failed service when it is not collected', async () => {
      for (const collect of [[], ['--collect']]) {
        const name = `failing${collect.length}`;
        await systemdRun(`--unit=${name}`, ...collect, '--', 'false');
        await until(async () => (await isActive(name)).includes(collect.length === 0 ? 'failed' : 4));
        const again = await systemdRun(`--unit=${name}`, ...collect, '--', 'false');
        expect(again.exitCode).toBe(collect.length === 0 ? 1 : 0);
      }
      expect((await systemctl('reset-failed', 'failing0')).exitCode).toBe(0);
      expect((await systemdRun('--unit=failing0', '--collect', 'true')).exitCode).toBe(0);
    });

    test.each([
      [['--on-active=soon', 'true'], 'Failed to parse timer value: soon\n'],
      [
        ['--unit=x', 'no-such-program'],
        'Failed to find executable no-such-program: No such file or directory\n',
      ],
      [['--unit=x'], 'Command line to execute required.\n'],
      [['--frobnicate', 'true'], "systemd-run: unrecognized option '--frobnicate'\n"],
    ])('refuses %p', async (args, stderr) => {
      expect(await systemdRun(...args)).toMatchObject({ exitCode: 1, stderr });
    });
  });
});
