import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EmbeddedDevice } from '../../../shared/packaging/device/running-device.ts';
import { factoryStatus } from '../../../shared/packaging/disk-image/factory-status.ts';
import { parseStatus } from '../../../shared/rauc/status.ts';
import { hasLoopDevices } from '../../support/privileges.ts';
import { makeParts, makeSmallDevice, type Parts } from '../device/device-parts.ts';

describe.skipIf(!hasLoopDevices)('the status of the factory, read by a real RAUC', () => {
  let parts: Parts;
  let device: EmbeddedDevice;
  beforeAll(async () => {
    parts = await makeParts();
    device = await makeSmallDevice(parts, { rootfsImage: parts.rootfsImage });
  }, 60_000);
  afterAll(async () => {
    await device[Symbol.asyncDispose]();
    parts[Symbol.dispose]();
  });

  async function versions(): Promise<(string | undefined)[]> {
    await device.reboot();
    const { stdout } = await device.rauc(['status', '--detailed', '--output-format=json']);
    return parseStatus(stdout).all.map(({ version }) => version ?? undefined);
  }

  test('gives both slots the version that a new device would not know', async () => {
    expect(await versions()).toEqual([undefined, undefined]);
    const release = {
      compatible: 'jetson-nano-homie',
      version: '1.2.3',
      sha256: 'ab'.repeat(32),
      bytes: 7,
      time: new Date(0),
    };
    writeFileSync(join(device.dataFolder, 'rauc', 'central.raucs'), factoryStatus(release));
    expect(await versions()).toEqual(['1.2.3', '1.2.3']);
    const { stdout } = await device.rauc(['status', '--detailed', '--output-format=json']);
    expect(stdout).toContain(`"sha256":"${'ab'.repeat(32)}"`);
    expect(stdout).toContain('"timestamp":"1970-01-01T00:00:00Z"');
  });
});
