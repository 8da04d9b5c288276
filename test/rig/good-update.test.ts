import { afterAll, beforeAll, describe, expect } from 'bun:test';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EmbeddedDevice } from '../../shared/packaging/device/running-device.ts';
import { project } from '../../shared/packaging/project.ts';
import { command } from '../../shared/system/process/command.ts';
import { programNames } from '../../shared/update/slot/program-names.ts';
import { readHistory } from '../../shared/update/transaction/transaction-store.ts';
import { hasLoopDevices } from '../support/privileges.ts';
import { suiteOf } from '../support/report/suite-report.ts';
import { everyArchitecture, scenariosFor } from './architectures.ts';
import {
  install,
  isOrchestratorActive,
  logOf,
  postActivate,
  startOrchestrator,
  statesOf,
  transactionOf,
} from './board.ts';
import { treeOf } from './snapshot.ts';
import { bundleOf, deviceOf, openWorkshop, type Workshop } from './workshop.ts';

const suite = suiteOf({ name: 'rig/good-update', least: 2 });

describe.skipIf(!hasLoopDevices).each(everyArchitecture)(
  'a good update, as shipped, by the unmodified RAUC (%s)',
  (architecture) => {
    const { scenario, typical } = scenariosFor(architecture, suite);
    let workshop: Workshop;
    beforeAll(async () => {
      workshop = await openWorkshop(architecture);
    }, 300_000);
    afterAll(() => workshop[Symbol.dispose]());

    typical('is committed', async () => {
      await using device = await deviceOf(workshop);
      await startOrchestrator(device);
      makeManyKindsOfFiles(join(device.dataFolder, 'config', 'core'));
      await updateTo(device, '1.1.0', { from: null, slot: 'rootfs.1', bootname: 'B', order: 'B A' });
    });

    scenario('is followed by one that goes back into slot A, committed too', async () => {
      await using device = await deviceOf(workshop);
      await startOrchestrator(device);
      makeManyKindsOfFiles(join(device.dataFolder, 'config', 'core'));
      await updateTo(device, '1.1.0', { from: null, slot: 'rootfs.1', bootname: 'B', order: 'B A' });
      await updateTo(device, '1.2.0', { from: '1.1.0', slot: 'rootfs.0', bootname: 'A', order: 'A B' });

      const places = { data: device.dataFolder, root: device.rootFolder, run: '' };
      expect(readHistory(places).map(({ to, steps }) => [to.version, steps.at(-1)?.state])).toEqual([
        ['1.1.0', 'committed'],
        ['1.2.0', 'committed'],
      ]);
    });

    scenario('of the version that runs already leaves the same', async () => {
      await using device = await deviceOf(workshop);
      await startOrchestrator(device);
      await updateTo(device, '1.1.0', { from: null, slot: 'rootfs.1', bootname: 'B', order: 'B A' });
      await updateTo(device, '1.1.0', { from: '1.1.0', slot: 'rootfs.0', bootname: 'A', order: 'A B' });
    });

    interface Expected {
      from: string | null;
      slot: string;
      bootname: 'A' | 'B';
      order: string;
    }

    async function updateTo(device: EmbeddedDevice, version: string, expected: Expected): Promise<void> {
      const configBefore = await listing(join(device.dataFolder, 'config'));
      expect(await install(device, await bundleOf(workshop, { version }))).toEqual({
        exitCode: 0,
        lastError: '',
      });

      const installed = transactionOf(device);
      expect(installed.from.version).toBe(expected.from);
      expect(installed.to).toEqual({ version, slot: expected.slot });
      expect(statesOf(installed)).toEqual(['preparing', 'installing', 'installed']);
      expect(await isOrchestratorActive(device)).toBe(true);
      expect(await device.bootEnvironment()).toMatchObject({
        BOOT_ORDER: expected.order,
        [`BOOT_${expected.bootname}_LEFT`]: '3',
      });
      await expectSlotContent(device, expected.bootname, version);
      await expectRestorable(installed.backup?.path ?? '', configBefore);

      const boot = await device.reboot();
      expect(boot.booted).toBe(expected.bootname);
      const activated = await postActivate(device);
      expect(activated).toMatchObject({ exitCode: 0, stdout: '' });
      expect(statesOf(transactionOf(device))).toEqual([
        'preparing',
        'installing',
        'installed',
        'trial',
        'committed',
      ]);
      expect((await device.bootEnvironment())[`BOOT_${expected.bootname}_LEFT`]).toBe('3');
      expect(await isOrchestratorActive(device)).toBe(true);
      for (const line of [
        `pre-install: Preparing the update from "${expected.from ?? 'unknown'}" to "${version}"`,
        'pre-install: Stopped "homie-orchestrator"',
        `pre-install: Backed up "${device.dataFolder}/config"`,
        'pre-install: Started "homie-orchestrator"',
        `post-install: Wrote programs and units into slot "${expected.slot}"`,
        `post-activate: Marked slot "${expected.slot}" good`,
        `post-activate: Committed version "${version}"`,
      ]) {
        expect(logOf(device)).toContain(line);
      }
    }

    /** Byte for byte: the image's files, our programs as they were compiled, units, release. */
    async function expectSlotContent(
      device: EmbeddedDevice,
      bootname: 'A' | 'B',
      version: string,
    ): Promise<void> {
      const overlay = treeOf(join(project.skeleton, 'rootfs'));
      await device.withSlotMounted(bootname, (slot) => {
        for (const [path, description] of Object.entries(overlay)) {
          if (description.startsWith('file'))
            expect(sha256(join(slot, path))).toBe(description.split(' ').at(-1) ?? '');
        }
        expect(readFileSync(join(slot, 'DEMO'), 'utf8')).toContain(version);
        const programs = join(slot, 'usr/lib/homie/update-hooks');
        const compiled = sha256(join(workshop.programs, 'hook'));
        const inodes = programNames.map((name) => {
          const stat = statSync(join(programs, name));
          expect(stat.mode & 0o7777).toBe(0o755);
          expect([stat.uid, stat.gid]).toEqual([0, 0]);
          return stat.ino;
        });
        expect(new Set(inodes).size).toBe(1);
        expect(sha256(join(programs, 'hook'))).toBe(compiled);
        expect(readFileSync(join(slot, 'usr/lib/homie/release'), 'utf8')).toBe(`VERSION=${version}\n`);
      });
    }
  },
);

/** What a backup must carry over: owner, mode, symbolic and hard links, extended attributes, times. */
function makeManyKindsOfFiles(folder: string): void {
  mkdirSync(join(folder, 'empty'), { recursive: true });
  writeFileSync(join(folder, 'secret.key'), 'secret\n', { mode: 0o600 });
  chownSync(join(folder, 'secret.key'), 1000, 1000);
  writeFileSync(join(folder, 'run.sh'), '#!/bin/sh\n');
  chmodSync(join(folder, 'run.sh'), 0o4755);
  symlinkSync('secret.key', join(folder, 'key'));
  linkSync(join(folder, 'run.sh'), join(folder, 'run-again.sh'));
  writeFileSync(join(folder, 'Küche und Flur.yaml'), 'ü\n');
  Bun.spawnSync(['setfattr', '-n', 'user.homie', '-v', 'kept', join(folder, 'Küche und Flur.yaml')]);
  lutimesSync(join(folder, 'secret.key'), 1_700_000_000.25, 1_700_000_000.25);
}

/** What GNU find and getfattr see: type, mode, owner, time, link count, link target, content, attributes. */
async function listing(folder: string): Promise<string> {
  const run = command({ deadlineMs: 30_000, cwd: folder });
  const { stdout } = await run`find . -printf '%P %y %m %U:%G %T@ %n %l\n' | LC_ALL=C sort`;
  const content = await run`find . -type f -exec sha256sum {} + | LC_ALL=C sort`;
  const attributes = await run`getfattr -R -P -d -m - . | LC_ALL=C sort`;
  return stdout + content.stdout + attributes.stdout;
}

async function expectRestorable(archive: string, before: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'homie-restore-'));
  try {
    const run = command({ deadlineMs: 30_000, cwd: join(archive, '..') });
    await run`sha256sum --check --status ${`${archive}.sha256`}`;
    await run`tar --zstd --xattrs --xattrs-include=${'*'} --same-owner -xpf ${archive} -C ${folder}`;
    expect(await listing(join(folder, 'config'))).toBe(before);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function sha256(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}
