import { afterAll, beforeAll, describe, expect } from 'bun:test';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EmbeddedDevice } from '../../shared/packaging/device/running-device.ts';
import { stateOf } from '../../shared/update/transaction/transaction.ts';
import { readHistory } from '../../shared/update/transaction/transaction-store.ts';
import { hasLoopDevices } from '../support/privileges.ts';
import { suiteOf } from '../support/report/suite-report.ts';
import { everyArchitecture, scenariosFor } from './architectures.ts';
import { install, isOrchestratorActive, logOf, startOrchestrator } from './board.ts';
import { takeSnapshot, treeOf } from './snapshot.ts';
import { bundleOf, deviceOf, openWorkshop, type Workshop } from './workshop.ts';

const suite = suiteOf({ name: 'rig/fallback-repair', least: 2 });

/** RAUC takes the target slot out of the boot order before it calls the first hook. */
describe.skipIf(!hasLoopDevices).each(everyArchitecture)(
  'the next healthy boot after a failed install (%s)',
  (architecture) => {
    const { scenario, typical } = scenariosFor(architecture, suite);
    let workshop: Workshop;
    beforeAll(async () => {
      workshop = await openWorkshop(architecture);
    }, 300_000);
    afterAll(() => workshop?.[Symbol.dispose]());

    typical('puts the fallback slot back where pre-install failed: it is whole, and boots', async () => {
      await using device = await deviceOf(workshop);
      await startOrchestrator(device);
      const fallback = await contentOfB(device);
      const failing = join(device.unitsFolder, 'fail-stop');
      writeFileSync(failing, '');
      const bundle = await bundleOf(workshop, { version: '1.1.0' });
      expect(await install(device, bundle)).toMatchObject({
        exitCode: 1,
        lastError: expect.stringMatching(/hook/),
      });
      rmSync(failing);
      expect(await isOrchestratorActive(device)).toBe(true);
      expect(await device.bootEnvironment()).toMatchObject({ BOOT_ORDER: 'A', BOOT_B_LEFT: '0' });

      await healthyBoot(device);
      expect(logOf(device)).toContain('Put the fallback slot back into the boot order');
      expect(await device.bootEnvironment()).toMatchObject({
        BOOT_ORDER: 'A B',
        BOOT_A_LEFT: '3',
        BOOT_B_LEFT: '3',
      });
      expect(historyOf(device)).toEqual(['failed']);
      await expectNothingChangesAt(device);

      await device.setBootVariable('BOOT_A_LEFT', '0');
      expect((await device.reboot()).booted).toBe('B');
      expect(await contentOfB(device)).toEqual(fallback);
    });

    scenario('leaves the fallback slot out where something may have been written into it', async () => {
      await using device = await deviceOf(workshop, {
        environment: { HOMIE_FAULT: 'kill@post-install:opened' },
      });
      await startOrchestrator(device);
      const bundle = await bundleOf(workshop, { version: '1.1.0', hasFaultPoints: true });
      expect((await install(device, bundle)).exitCode).toBe(1);

      await healthyBoot(device);
      expect(logOf(device)).toMatch(/Slot "rootfs\.1" is no fallback, and stays out of the boot order: /);
      expect(await device.bootEnvironment()).toMatchObject({ BOOT_ORDER: 'A', BOOT_B_LEFT: '0' });
      expect(historyOf(device)).toEqual(['failed']);
      await expectNothingChangesAt(device);
    });

    async function healthyBoot(device: EmbeddedDevice): Promise<void> {
      expect((await device.reboot()).booted).toBe('A');
      await device.run('systemctl', ['start', 'homie-orchestrator']);
      expect(await bootProgram(device)).toMatchObject({ exitCode: 0 });
      expect(await isOrchestratorActive(device)).toBe(true);
    }

    async function expectNothingChangesAt(device: EmbeddedDevice): Promise<void> {
      const before = await standingOf(device);
      expect(await bootProgram(device)).toMatchObject({ exitCode: 0 });
      expect(await standingOf(device)).toEqual(before);
    }

    /** The factory's slot carries no programs of ours: those of the workshop stand in. */
    function bootProgram(device: EmbeddedDevice) {
      return device.run(join(workshop.programs, 'post-activate'), []);
    }
  },
);

/** All but the log, which every boot adds to. */
async function standingOf(device: EmbeddedDevice) {
  const { data, ...rest } = await takeSnapshot(device);
  return { ...rest, data: { ...data, 'logs/update.log': undefined } };
}

/** All files: RAUC mounts the target for pre-install, which alone changes its superblock. */
function contentOfB(device: EmbeddedDevice) {
  return device.withSlotMounted('B', (slot) => treeOf(slot));
}

function historyOf(device: EmbeddedDevice): string[] {
  return readHistory({ data: device.dataFolder, root: '', run: '' }).map(stateOf);
}
