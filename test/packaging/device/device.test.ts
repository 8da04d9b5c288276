import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test';
import {
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { createDevice } from '../../../shared/packaging/device/device.ts';
import { clearDevice } from '../../../shared/packaging/device/leftovers.ts';
import type { EmbeddedDevice } from '../../../shared/packaging/device/running-device.ts';
import { emulation } from '../../../shared/packaging/emulation.ts';
import { Failure } from '../../../shared/system/failure.ts';
import { command } from '../../../shared/system/process/command.ts';
import { hasLoopDevices } from '../../support/privileges.ts';
import { until } from '../../support/until.ts';
import { makeParts, makeSmallDevice, type Parts, tracesOf } from './device-parts.ts';

setDefaultTimeout(10_000);

/** The Failure it ends with; anything else, and a success, fails the test. */
async function failureOf(work: Promise<unknown>): Promise<Failure> {
  const error: unknown = await work.then(
    () => undefined,
    (reason) => reason,
  );
  if (error instanceof Failure) return error;
  throw new Error('a Failure was expected', { cause: error });
}

async function statusOf(device: EmbeddedDevice): Promise<unknown> {
  return JSON.parse((await device.rauc(['status', '--output-format=json'])).stdout);
}

describe.skipIf(!hasLoopDevices)('the embedded device', () => {
  let parts: Parts;
  beforeAll(async () => {
    parts = await makeParts();
  });
  afterAll(() => parts[Symbol.dispose]());

  describe('createDevice()', () => {
    test('shows RAUC a healthy slot A when it is made', async () => {
      await using device = await makeSmallDevice(parts);
      expect(await statusOf(device)).toMatchObject({
        compatible: 'jetson-nano-homie',
        booted: 'A',
        boot_primary: 'rootfs.0',
      });
      expect(await device.bootEnvironment()).toEqual({
        BOOT_ORDER: 'A B',
        BOOT_A_LEFT: '3',
        BOOT_B_LEFT: '3',
      });
      expect(readdirSync(device.dataFolder).sort()).toEqual(
        ['backups', 'config', 'core', 'logs', 'lost+found', 'postgres', 'rauc', 'redis'].sort(),
      );
    });

    test('labels partitions and file systems as on the board', async () => {
      await using device = await makeSmallDevice(parts);
      const run = command({ deadlineMs: 10_000 });
      const table = await run`sfdisk --list ${join(device.folder, 'disk.img')} --output NAME`;
      expect(table.stdout.match(/(boot|rootfs-[ab]|data)$/gm)).toEqual([
        'boot',
        'rootfs-a',
        'rootfs-b',
        'data',
      ]);
      for (const label of ['rootfs-a', 'rootfs-b', 'data'] as const)
        expect((await run`e2label ${device.partitions[label]}`).stdout.trim()).toBe(label);
      const features = await run`dumpe2fs -h ${device.partitions['rootfs-b']}`;
      expect(features.stdout).toContain('has_journal');
      expect(features.stdout).not.toMatch(/metadata_csum_seed|orphan_file/);
    });

    test('keeps the boot environment readable when one of its copies is destroyed', async () => {
      await using device = await makeSmallDevice(parts);
      const file = join(device.folder, 'uboot.env');
      const whole = readFileSync(file);
      for (const offset of [0, 0x4000]) {
        const torn = Buffer.from(whole);
        torn.fill(0xff, offset, offset + 0x4000);
        writeFileSync(file, torn);
        expect((await device.bootEnvironment())['BOOT_ORDER']).toBe('A B');
      }
      writeFileSync(file, Buffer.alloc(0x8000, 0xff));
      expect((await failureOf(device.bootEnvironment())).message).toContain('fw_printenv');
    });

    test('fills both slots with the image when one is given', async () => {
      await using device = await makeSmallDevice(parts, { rootfsImage: parts.rootfsImage });
      expect(readFileSync(join(device.rootFolder, 'etc/homie-version'), 'utf8')).toBe('1.0.0\n');
      expect(await device.slotBytes('A')).toBe(await device.slotBytes('B'));
      await device.withSlotMounted('B', (folder) => {
        expect(readFileSync(join(folder, 'etc/homie-version'), 'utf8')).toBe('1.0.0\n');
      });
    });

    test('keeps two devices apart when they run at once', async () => {
      await using one = await makeSmallDevice(parts);
      const other = await makeSmallDevice(parts);
      await other.setBootVariable('BOOT_ORDER', 'B A');
      expect(await statusOf(one)).toMatchObject({ boot_primary: 'rootfs.0' });
      expect(await statusOf(other)).toMatchObject({ boot_primary: 'rootfs.1' });
      await other[Symbol.asyncDispose]();
      expect(await statusOf(one)).toMatchObject({ booted: 'A' });
    });

    test('refuses a folder when it is not empty, and leaves it alone', async () => {
      const failure = await failureOf(createDevice({ folder: parts.folder, keyringPath: parts.keyring }));
      expect(failure.message).toBe(`Cannot make an embedded device in "${parts.folder}": it is not empty`);
      expect(existsSync(parts.bundle)).toBe(true);
    });

    test.each(['with blank', 'with:colon', 'x'.repeat(120)])('refuses the folder name "%s"', async (name) => {
      const folder = join(parts.folder, name);
      const failure = await failureOf(createDevice({ folder, keyringPath: parts.keyring }));
      expect(failure.message).toContain(`Cannot make an embedded device in "${folder}": its name `);
      await command({ deadlineMs: 5_000 })`rmdir ${folder}`;
    });

    test('refuses to start when it is not root', async () => {
      const script = `
        import { requireMachine } from '${join(import.meta.dir, '../../../shared/packaging/device/requirements.ts')}';
        process.setuid(65534);
        try { requireMachine(); } catch (error) { process.stdout.write(error.name + ' ' + error.message); }`;
      const { stdout } = await command({ deadlineMs: 10_000 })`${process.execPath} -e ${script}`;
      expect(stdout).toBe('Failure Cannot make an embedded device: it needs root (loop devices, mounts)');
    });

    test('leaves nothing behind when it fails half-way', async () => {
      const garbage = join(parts.folder, 'garbage.img');
      writeFileSync(garbage, Buffer.alloc(1024 * 1024, 7));
      const folder = join(parts.folder, 'half-way');
      const failing = [
        { rootfsImage: garbage, says: '"mount" ended with 32' },
        { rootfsImage: parts.rootfsImage, sizesMiB: { slot: 8 }, says: 'do not fit in 8 MiB' },
        { keyringPath: join(parts.folder, 'none.pem'), says: 'Cannot use the keyring' },
        { environment: { TWO: 'a\nb' }, says: 'Cannot give services the variable "TWO"' },
      ];
      for (const { says, ...options } of failing) {
        const failure = await failureOf(makeSmallDevice(parts, { folder, ...options }));
        expect(failure.message).toContain(says);
        expect(tracesOf(folder)).toEqual([]);
      }
    });

    test('leaves nothing behind when it is aborted at any stage', async () => {
      const folder = join(parts.folder, 'aborted');
      const stages = [
        'disk.img',
        'dev/rootfs-a',
        'dev/data',
        'system.conf',
        'uboot.env',
        'bus.log',
        'rauc.log',
      ];
      for (const stage of stages) {
        const abort = new AbortController();
        const reason = new Error(`at ${stage}`);
        const making = makeSmallDevice(parts, { folder, signal: abort.signal });
        const settled = making.then(
          () => 'made',
          (error: unknown) => error,
        );
        await until(() => existsSync(join(folder, stage)));
        abort.abort(reason);
        expect(await settled).toBe(reason);
        expect(tracesOf(folder)).toEqual([]);
      }
    });
  });

  describe('rauc()', () => {
    test('installs a bundle and boots it when the hooks agree', async () => {
      await using device = await makeSmallDevice(parts, { rootfsImage: parts.rootfsImage });
      device.addService('orchestrator', ['sleep', 'infinity']);
      await device.run('systemctl', ['start', 'orchestrator']);
      const bootId = device.environment['HOMIE_BOOT_ID'];
      const before = await device.slotBytes('A');

      const install = await device.rauc(['install', parts.bundle]);
      expect(install).toMatchObject({ exitCode: 0 });
      expect(readFileSync(join(device.dataFolder, 'logs/hook.log'), 'utf8')).toBe(
        [
          `install-check home=none shlvl=none boot=${bootId} orchestrator=active`,
          `slot-pre-install home=none shlvl=none boot=${bootId} orchestrator=inactive`,
          `slot-post-install home=none shlvl=none boot=${bootId} orchestrator=active\n`,
        ].join('\n'),
      );
      expect(await device.bootEnvironment()).toEqual({
        BOOT_ORDER: 'B A',
        BOOT_A_LEFT: '3',
        BOOT_B_LEFT: '3',
      });
      expect(await device.slotBytes('A')).toBe(before);

      expect(await device.reboot()).toEqual({ booted: 'B', refilled: false, unbootable: [] });
      expect(await statusOf(device)).toMatchObject({ booted: 'B', boot_primary: 'rootfs.1' });
      expect(readFileSync(join(device.rootFolder, 'etc/homie-version'), 'utf8')).toBe('1.1.0\n');
      expect((await device.bootEnvironment())['BOOT_B_LEFT']).toBe('2');
      expect(await device.rauc(['status', 'mark-good'])).toMatchObject({ exitCode: 0 });
      expect((await device.bootEnvironment())['BOOT_B_LEFT']).toBe('3');
    });

    test('returns the exit code when the bundle is refused', async () => {
      await using device = await makeSmallDevice(parts);
      const torn = join(parts.folder, 'torn.raucb');
      const bytes = readFileSync(parts.bundle);
      bytes.fill(0, 512, 1024);
      writeFileSync(torn, bytes);
      const { exitCode, stdout } = await device.rauc(['install', torn]);
      expect(exitCode).toBe(1);
      expect(stdout).toContain('signature verification failed');
      expect((await device.bootEnvironment())['BOOT_ORDER']).toBe('A B');
    });

    test('refuses to install when the target is mounted', async () => {
      await using device = await makeSmallDevice(parts);
      device.addService('orchestrator', ['sleep', 'infinity']);
      const install = await device.withSlotMounted('B', () => device.rauc(['install', parts.bundle]));
      expect(install.exitCode).toBe(1);
      expect(install.stdout).toContain('already mounted');
    });
  });

  describe('run()', () => {
    test('gives a program the environment of the booted system and nothing of ours', async () => {
      await using device = await makeSmallDevice(parts, { environment: { EXTRA: "it's one $word" } });
      const { stdout } = await device.run('env', [], { env: { MORE: '1' } });
      const names = stdout
        .trim()
        .split('\n')
        .map((line) => line.split('=')[0]);
      expect(new Set(names)).toEqual(
        new Set([
          'DBUS_SESSION_BUS_ADDRESS',
          'DBUS_STARTER_BUS_TYPE',
          'EXTRA',
          'HOMIE_BOOT_ID',
          'HOMIE_DATA',
          'HOMIE_DEVICE',
          'HOMIE_ROOT',
          'HOMIE_RUN',
          'HOMIE_RUN_UNITS',
          'MORE',
          'PATH',
          'RAUC_SYSTEM_CONFIG',
          ...Object.keys(emulation),
        ]),
      );
      expect(stdout).toContain("EXTRA=it's one $word\n");
    });

    test('answers with 128 + N when the program is ended by signal N', async () => {
      await using device = await makeSmallDevice(parts);
      expect(await device.run('sh', ['-c', 'kill -KILL $$'])).toMatchObject({ exitCode: 137 });
      expect(await device.run('sh', ['-c', 'echo out; echo err >&2; exit 21'])).toEqual({
        exitCode: 21,
        stdout: 'out\n',
        stderr: 'err\n',
      });
    });

    test('throws when the program is slower than its deadline', async () => {
      await using device = await makeSmallDevice(parts);
      const failure = await failureOf(device.run('sleep', ['60'], { deadlineMs: 100 }));
      expect(failure.message).toBe('Cannot run "sleep" on the device: it did not end within 0.1 s');
    });
  });

  describe('reboot()', () => {
    test('falls back to A when B is never marked good', async () => {
      await using device = await makeSmallDevice(parts);
      device.addService('orchestrator', ['sleep', 'infinity']);
      expect(await device.rauc(['install', parts.bundle])).toMatchObject({ exitCode: 0 });
      const boots = [];
      for (let boot = 0; boot < 4; boot += 1) boots.push((await device.reboot()).booted);
      expect(boots).toEqual(['B', 'B', 'B', 'A']);
      expect(await device.bootEnvironment()).toEqual({
        BOOT_ORDER: 'B A',
        BOOT_A_LEFT: '2',
        BOOT_B_LEFT: '0',
      });
      expect(await statusOf(device)).toMatchObject({ booted: 'A', boot_primary: 'rootfs.0' });
    });

    test('pays an attempt for each try when a slot cannot be mounted', async () => {
      await using device = await makeSmallDevice(parts);
      const slot = openSync(device.partitions['rootfs-b'], 'r+');
      writeSync(slot, Buffer.alloc(64 * 1024));
      closeSync(slot);
      await device.setBootVariable('BOOT_ORDER', 'B A');
      expect(await device.reboot()).toEqual({ booted: 'A', refilled: false, unbootable: ['B', 'B', 'B'] });
      expect((await device.bootEnvironment())['BOOT_B_LEFT']).toBe('0');
    });

    test('throws when no listed slot can be mounted', async () => {
      await using device = await makeSmallDevice(parts);
      const slot = openSync(device.partitions['rootfs-b'], 'r+');
      writeSync(slot, Buffer.alloc(64 * 1024));
      closeSync(slot);
      await device.setBootVariable('BOOT_ORDER', 'B');
      expect((await failureOf(device.reboot())).message).toContain('no slot that is listed can be mounted');
    });

    test.each(['orderly', 'power-cut'] as const)(
      'ends all but the bus and /data when it is %s',
      async (how) => {
        await using device = await makeSmallDevice(parts);
        const last = join(device.dataFolder, 'logs/last');
        device.addService('polite', [
          'sh',
          '-c',
          `trap 'echo bye > ${last}; exit' TERM; : > ${last}; while :; do sleep 0.05; done`,
        ]);
        await device.run('systemctl', ['start', 'polite']);
        await until(() => existsSync(last));
        await device.run('systemctl', ['reboot']);
        expect(device.rebootRequested()).toBe(true);
        writeFileSync(join(device.folder, 'run/volatile'), '');
        const bootId = device.environment['HOMIE_BOOT_ID'];

        await device.reboot(how);
        expect(readFileSync(last, 'utf8')).toBe(how === 'orderly' ? 'bye\n' : '');
        expect(device.rebootRequested()).toBe(false);
        expect(readdirSync(join(device.folder, 'run'))).toEqual([]);
        expect(device.environment['HOMIE_BOOT_ID']).not.toBe(bootId);
        expect((await device.run('systemctl', ['is-active', 'polite'])).stdout).toBe('inactive\n');
        expect(tracesOf(device.folder).filter((trace) => trace.includes('trap'))).toEqual([]);
      },
    );
  });

  describe('withSlotMounted()', () => {
    test('writes nothing and unmounts when the work throws, even on a dirty journal', async () => {
      await using device = await makeSmallDevice(parts);
      // A copy of a mounted file system has a journal to replay.
      const run = command({ deadlineMs: 10_000 });
      const used = join(device.folder, 'used');
      await run`mkdir ${used}`;
      await run`mount ${device.partitions['rootfs-b']} ${used}`;
      await run`mkdir ${`${used}/new`}`;
      await run`sync -f ${used}`;
      await run`dd if=${device.partitions['rootfs-b']} of=${`${device.folder}/dirty`} bs=1M status=none`;
      await run`umount ${used}`;
      await run`dd if=${`${device.folder}/dirty`} of=${device.partitions['rootfs-b']} bs=1M conv=fsync status=none`;
      expect((await run`dumpe2fs -h ${device.partitions['rootfs-b']}`).stdout).toContain('needs_recovery');

      const before = await device.slotBytes('B');
      const broken = device.withSlotMounted('B', () => Promise.reject(new Failure('Cannot go on')));
      expect((await failureOf(broken)).message).toBe('Cannot go on');
      expect(await device.slotBytes('B')).toBe(before);
      expect(readFileSync('/proc/mounts', 'utf8')).not.toContain(`${device.folder}/slot-`);
    });
  });

  describe('dispose', () => {
    test('leaves nothing behind when services, timers, mounts and an install are under way', async () => {
      const device = await makeSmallDevice(parts);
      device.addService('orchestrator', ['sleep', 'infinity']);
      device.addService('stubborn', ['sh', '-c', "trap '' TERM; while :; do sleep 1; done"]);
      await device.run('systemctl', ['start', 'stubborn']);
      await device.run('systemd-run', ['--unit=rescue', '--on-active=1h', '--', 'true']);
      await device.run('sh', ['-c', 'setsid sleep 1000 > /dev/null 2>&1 &']);
      await device.run('mount', ['-t', 'tmpfs', 'tmpfs', join(device.dataFolder, 'core')]);
      writeFileSync(join(device.unitsFolder, 'hang-stop'), '');
      const hanging = failureOf(device.rauc(['install', parts.bundle], { deadlineMs: 5_000 })).catch(
        () => {},
      );
      const log = join(device.folder, 'systemctl.log');
      await until(() => readFileSync(log, 'utf8').includes('systemctl stop orchestrator'));
      expect(readFileSync('/proc/mounts', 'utf8')).toContain(`${device.folder}/mnt/bundle`);

      await device[Symbol.asyncDispose]();
      expect(tracesOf(device.folder)).toEqual([]);
      await device[Symbol.asyncDispose]();
      await hanging;
    });

    test('does its work when the signal has been aborted', async () => {
      const abort = new AbortController();
      const device = await makeSmallDevice(parts, { signal: abort.signal });
      const begun = join(device.folder, 'begun');
      const running = failureOf(device.run('sh', ['-c', `: > ${begun}; sleep 1000`]));
      await until(() => existsSync(begun));
      abort.abort();
      expect((await running).message).toContain('this program was stopped');
      await device[Symbol.asyncDispose]();
      expect(tracesOf(device.folder)).toEqual([]);
    });

    test.each(['SIGINT', 'SIGKILL'] as const)('can be done when the owner got %s', async (signal) => {
      const folder = join(parts.folder, `owned-${signal}`);
      const module = join(import.meta.dir, '../../../shared/packaging/device/device.ts');
      const script = `
        import { createDevice } from '${module}';
        const device = await createDevice({ folder: '${folder}', keyringPath: '${parts.keyring}' });
        process.on('SIGINT', async () => { await device[Symbol.asyncDispose](); process.exit(130); });
        process.stdout.write('ready');
        setInterval(() => {}, 1000);`;
      // Its own group, which gets the signal as from a terminal.
      const owner = Bun.spawn([process.execPath, '-e', script], { detached: true, stdout: 'pipe' });
      try {
        await owner.stdout.getReader().read();
        expect(tracesOf(`${folder}/`)).not.toEqual([]);
        process.kill(-owner.pid, signal);
        await owner.exited;
        if (signal === 'SIGKILL') await clearDevice(folder);
        expect(tracesOf(folder)).toEqual([]);
      } finally {
        owner.kill('SIGKILL');
        await clearDevice(folder);
      }
    });

    test('spares a mount that it cannot undo, and says so', async () => {
      await using device = await makeSmallDevice(parts);
      // Named as by a program of the device: without umount the folder must not be emptied through the mount.
      const kept = join(device.dataFolder, 'config/kept');
      writeFileSync(kept, 'kept');
      const path = process.env['PATH'];
      const fakes = join(parts.folder, 'fakes');
      await command({ deadlineMs: 5_000 })`mkdir ${fakes}`;
      writeFileSync(join(fakes, 'umount'), '#!/bin/sh\nexit 32\n', { mode: 0o755 });
      process.env['PATH'] = `${fakes}:${path}`;
      try {
        const failure = await failureOf(device[Symbol.asyncDispose]());
        expect(failure.message).toContain('is still mounted');
      } finally {
        process.env['PATH'] = path;
      }
      expect(readFileSync(kept, 'utf8')).toBe('kept');
    });
  });
});
