import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EmbeddedDevice } from '../../shared/packaging/device/running-device.ts';
import { inspectBundle } from '../../shared/rauc/info.ts';
import { installBundle, RaucRefusal } from '../../shared/rauc/install.ts';
import { parseLastError } from '../../shared/rauc/last-error.ts';
import { markActive, markGood } from '../../shared/rauc/mark.ts';
import { readSlots } from '../../shared/rauc/status.ts';
import { makeParts, makeSmallDevice, type Parts } from '../packaging/device/device-parts.ts';
import { failureOf } from '../support/failure-of.ts';
import { hasLoopDevices } from '../support/privileges.ts';

/** The same calls against the unmodified RAUC of this machine, on an embedded device. */
describe.skipIf(!hasLoopDevices)('with a real RAUC', () => {
  let parts: Parts;
  let device: EmbeddedDevice;
  let damaged: string;
  beforeAll(async () => {
    parts = await makeParts();
    device = await makeSmallDevice(parts, { rootfsImage: parts.rootfsImage });
    device.addService('orchestrator', ['sleep', '1000']);
    damaged = join(parts.folder, 'damaged.raucb');
    const bytes = readFileSync(parts.bundle);
    bytes.writeUInt8(bytes.readUInt8(2000) ^ 1, 2000);
    writeFileSync(damaged, bytes);
  }, 60_000);
  afterAll(async () => {
    await device[Symbol.asyncDispose]();
    parts[Symbol.dispose]();
  });

  /** What the booted system's services have in their environment, this process has for a moment. */
  async function onDevice<T>(work: () => Promise<T>): Promise<T> {
    const before = { ...process.env };
    Object.assign(process.env, device.environment);
    try {
      return await work();
    } finally {
      for (const name of Object.keys(device.environment)) delete process.env[name];
      Object.assign(process.env, before);
    }
  }

  test('inspectBundle() reads a good bundle', async () => {
    expect(await onDevice(() => inspectBundle(parts.bundle))).toEqual({
      compatible: 'jetson-nano-homie',
      version: '1.1.0',
    });
  });

  test('inspectBundle() refuses a damaged one, and what is no bundle, in one line each', async () => {
    const failure = await onDevice(() => failureOf(() => inspectBundle(damaged)));
    expect(failure.message).toMatch(/^Cannot verify ".*": signature verification failed: [^\n]+$/);
    expect(failure.outcome).toBe('signature');

    const page = join(parts.folder, 'page.raucb');
    writeFileSync(page, '<html>404 Not Found</html>'.repeat(100));
    const other = await onDevice(() => failureOf(() => inspectBundle(page)));
    expect(other.message).toMatch(/^Cannot verify ".*": Invalid bundle format: [^\n]+$/);
  });

  test('installBundle() fails with LastError, and leaves the primary slot', async () => {
    const failure = await onDevice(() => failureOf(() => installBundle(damaged)));
    expect(failure).toBeInstanceOf(RaucRefusal);
    expect(failure.message).toContain('signature verification failed');
    expect((await onDevice(() => readSlots())).primary?.name).toBe('rootfs.0');
    // The service's answer to a later client.
    const ask = ['--session', '--print-reply=literal', '--dest=de.pengutronix.rauc', '/'];
    const get = [
      'org.freedesktop.DBus.Properties.Get',
      'string:de.pengutronix.rauc.Installer',
      'string:LastError',
    ];
    const { stdout } = await device.run('dbus-send', [...ask, ...get]);
    expect(parseLastError(`s "${stdout.trim().replace(/^variant\s+/, '')}"`)).toContain(
      'signature verification failed',
    );
  });

  test('installBundle() tells progress up to the end; meanwhile others are told that RAUC is busy', async () => {
    const percents: number[] = [];
    const others: Promise<string>[] = [];
    // The bundle's pre-install hook waits there until the others have been answered.
    const gate = join(device.dataFolder, 'gate');
    writeFileSync(
      join(device.binFolder, 'systemctl'),
      `#!/bin/sh\nuntil [ -e '${gate}' ]; do sleep 0.02; done\n`,
    );
    const onProgress = (percent: number, what: string): void => {
      percents.push(percent);
      if (what !== 'Determining target install group done.' || others.length > 0) return;
      others.push(failureOf(() => installBundle(parts.bundle)).then(({ outcome }) => outcome));
      others.push(failureOf(() => readSlots()).then(({ outcome }) => outcome));
      Promise.allSettled(others).then(() => writeFileSync(gate, ''));
    };
    await onDevice(() => installBundle(parts.bundle, { onProgress }));
    expect(await Promise.all(others)).toEqual(['busy', 'busy']);
    expect(percents.at(-1)).toBe(100);
    expect((await onDevice(() => readSlots())).primary?.version).toBe('1.1.0');
  });

  test('markActive() and markGood() do what they say', async () => {
    await onDevice(() => markActive('other'));
    expect((await onDevice(() => readSlots())).primary?.name).toBe('rootfs.1');
    await onDevice(() => markActive('booted'));
    await device.setBootVariable('BOOT_A_LEFT', '1');
    await onDevice(() => markGood());
    expect(await device.bootEnvironment()).toMatchObject({ BOOT_ORDER: 'A B', BOOT_A_LEFT: '3' });
  });
});
