import { afterAll, beforeAll, describe, expect } from 'bun:test';
import { appendFileSync, copyFileSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { EmbeddedDevice } from '../../shared/packaging/device/running-device.ts';
import { stateOf } from '../../shared/update/transaction/transaction.ts';
import { hasLoopDevices } from '../support/privileges.ts';
import { suiteOf } from '../support/report/suite-report.ts';
import { honest, type ServedFile } from '../support/servers/file-server.ts';
import { HostileServer } from '../support/servers/hostile-server.ts';
import { architectures, scenariosFor } from './architectures.ts';
import { flipBit } from './bit-flip.ts';
import { logOf, postActivate, startOrchestrator, transactionOf } from './board.ts';
import { takeSnapshot } from './snapshot.ts';
import { bundleOf, deviceOf, openWorkshop, type Workshop } from './workshop.ts';

/** update.sh as it ships, from a server that drops the line, to the real RAUC and the next boot. */

const suite = suiteOf({ name: 'rig/fetched-update', least: 2 });

describe.skipIf(!hasLoopDevices).each(architectures)('update.sh with a URL (%s)', (architecture) => {
  const { scenario } = scenariosFor(architecture, suite);
  let workshop: Workshop;
  let good: string;
  let served: ServedFile;
  let server: HostileServer;
  let pieces = 0;
  beforeAll(async () => {
    workshop = await openWorkshop(architecture);
    good = await bundleOf(workshop, { version: '1.1.0' });
    server = await HostileServer.start(
      honest(
        () => served,
        (line, part) => {
          line.write(part.head);
          const isCut = part.bytes.length > 1 && pieces++ % 10 === 1;
          line.write(isCut ? part.bytes.subarray(0, part.bytes.length / 2) : part.bytes, () => {
            if (isCut) line.destroy();
          });
        },
      ),
    );
  }, 300_000);
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
    workshop[Symbol.dispose]();
  });

  /** A running device with this server in its configuration. */
  async function freshDevice(): Promise<EmbeddedDevice> {
    const device = await deviceOf(workshop);
    await startOrchestrator(device);
    appendFileSync(join(device.dataFolder, 'config', 'orchestrator.yaml'), `  url: ${server.url}\n`);
    return device;
  }

  const update = (device: EmbeddedDevice, ...args: string[]) =>
    device.run(join(workshop.programs, 'update.sh'), args, { deadlineMs: 300_000 });

  scenario(
    'a bundle over a bad line: fetched, verified, installed, booted, committed, and not fetched again',
    async () => {
      served = { bytes: readFileSync(good), etag: '"good"' };
      await using device = await freshDevice();
      const { exitCode, stderr } = await update(device);
      expect({ exitCode, stderr }).toMatchObject({ exitCode: 4 });
      expect(stderr).toContain('Verified "');
      expect(readdirSync(join(device.dataFolder, 'update', 'download'))).toEqual([]);
      expect((await device.reboot()).booted).toBe('B');
      expect((await postActivate(device)).exitCode).toBe(0);
      expect(stateOf(transactionOf(device))).toBe('committed');

      const before = await boardOf(device);
      const again = await update(device);
      expect(again.exitCode).toBe(0);
      expect(again.stderr).toContain('Nothing new: the server still has version "1.1.0", installed at ');
      expect(await boardOf(device)).toEqual(before);
    },
  );

  scenario(
    'a bundle with one bit flipped: 12 before RAUC installs, and nothing of it is kept',
    async () => {
      const damaged = join(workshop.folder, 'damaged.raucb');
      copyFileSync(good, damaged);
      flipBit(damaged, statSync(good).size * 4);
      served = { bytes: readFileSync(damaged), etag: '"damaged"' };
      await using device = await freshDevice();
      const before = await boardOf(device);
      const { exitCode, stderr } = await update(device);
      expect({ exitCode, stderr }).toMatchObject({ exitCode: 12 });
      expect(stderr).toContain('signature verification failed');
      expect(await boardOf(device)).toEqual(before);
      expect(readdirSync(join(device.dataFolder, 'update', 'download'))).toEqual([]);
      expect(logOf(device)).toContain('signature verification failed');
      expect(logOf(device)).not.toContain('Installing');
    },
    400_000,
  );
});

/** Slots and boot environment; that there is nothing new is only told, in the log and the progress file. */
async function boardOf(device: EmbeddedDevice) {
  const { slotA, slotB, bootEnvironment } = await takeSnapshot(device);
  return { slotA, slotB, bootEnvironment };
}
