import { afterAll, beforeAll, describe, expect } from 'bun:test';
import {
  copyFileSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { EmbeddedDevice } from '../../shared/packaging/device/running-device.ts';
import { createKeys, dropOldRoots, rotateKeys } from '../../shared/packaging/pki/keys.ts';
import { hasLoopDevices } from '../support/privileges.ts';
import { suiteOf } from '../support/report/suite-report.ts';
import { randomFrom, seed } from '../support/seed.ts';
import { makeExpiredSigner, makeForeignKeys, makeFutureSigner } from '../support/servers/certificates.ts';
import { byTier } from '../support/tier.ts';
import { everyArchitecture, scenariosFor } from './architectures.ts';
import { edgesOf, flipBit } from './bit-flip.ts';
import { install, startOrchestrator, writeData } from './board.ts';
import { rewriteManifest } from './rewritten-bundle.ts';
import { takeSnapshot } from './snapshot.ts';
import { bundleOf, deviceOf, openWorkshop, type Workshop } from './workshop.ts';

const suite = suiteOf({ name: 'rig/refusals', least: byTier({ quick: 9, all: 30, deep: 30 }) });

const flips = byTier({ quick: 4, all: 64, deep: 64 });

describe.skipIf(!hasLoopDevices).each(everyArchitecture)(
  'a refused install leaves slots, environment and data as they were (%s)',
  (architecture) => {
    const { scenario, typical, later } = scenariosFor(architecture, suite);
    let workshop: Workshop;
    let device: EmbeddedDevice;
    let good: string;

    beforeAll(async () => {
      workshop = await openWorkshop(architecture);
      device = await deviceOf(workshop);
      await startOrchestrator(device);
      good = await bundleOf(workshop, { version: '1.1.0' });
    }, 300_000);
    afterAll(async () => {
      await device[Symbol.asyncDispose]();
      workshop[Symbol.dispose]();
    });

    /** Installs, expects the refusal with its reason, and that nothing at all is different. */
    async function expectRefusal(bundle: string, reason: RegExp, on: EmbeddedDevice = device): Promise<void> {
      const before = await takeSnapshot(on);
      const { exitCode, lastError } = await install(on, bundle);
      expect(lastError).toMatch(reason);
      expect(exitCode).toBe(1);
      expect(await takeSnapshot(on)).toEqual(before);
    }

    scenario(`when any of ${flips} bits is flipped, or one where a part of it begins or ends`, async () => {
      const bundle = join(workshop.folder, 'flipped.raucb');
      copyFileSync(good, bundle);
      const before = await takeSnapshot(device);
      const random = randomFrom(seed);
      const anywhere = Array.from({ length: flips }, () => Math.floor(random() * statSync(good).size * 8));
      for (const bit of [...edgesOf(good), ...anywhere]) {
        flipBit(bundle, bit);
        const { exitCode, lastError } = await install(device, bundle);
        expect({ seed, bit, exitCode, isTold: lastError !== '' }).toEqual({
          seed,
          bit,
          exitCode: 1,
          isTold: true,
        });
        flipBit(bundle, bit);
      }
      expect(await takeSnapshot(device)).toEqual(before);
      expect(readFileSync(bundle).equals(readFileSync(good))).toBe(true);
    });

    scenario('when it is truncated', async () => {
      const size = statSync(good).size;
      const anywhere = [0, 1, 8, 4096, Math.floor(size / 2), size - 1];
      for (const kept of byTier({ quick: [size - 1], all: anywhere, deep: anywhere })) {
        const bundle = join(workshop.folder, 'short.raucb');
        copyFileSync(good, bundle);
        truncateSync(bundle, kept);
        await expectRefusal(bundle, /./);
      }
    });

    scenario('when another authority signed it', async () => {
      const keys = await makeForeignKeys(mkdtempSync(join(workshop.folder, 'foreign-')));
      await expectRefusal(await bundleOf(workshop, { version: '1.1.0', keys }), /signature|certificate/i);
    });

    scenario('when the signer has expired', async () => {
      const keys = await makeExpiredSigner(mkdtempSync(join(workshop.folder, 'expired-')), workshop.keys);
      await expectRefusal(await resigned({ ...workshop.keys, ...keys }), /expired/i);
    });

    later('when the signer is not valid yet', async () => {
      const keys = await makeFutureSigner(mkdtempSync(join(workshop.folder, 'future-')), workshop.keys);
      await expectRefusal(await resigned({ ...workshop.keys, ...keys }), /not yet valid/i);
    });

    scenario('when it is for another board', async () => {
      const bundle = await rewritten(/^compatible=.*$/m, 'compatible=raspberry-pi-homie');
      await expectRefusal(bundle, /Cannot install version "1.1.0": it is for "raspberry-pi-homie"/);
    });

    scenario('when it is older than the committed version', async () => {
      writeData(device, 'update/history.jsonl', `${JSON.stringify(committed('2.0.0'))}\n`);
      await expectRefusal(good, /version 1.1.0 is older than 2.0.0, which was committed before/);
      rmSync(join(device.dataFolder, 'update', 'history.jsonl'));
    });

    later('when it is older than the minimum version of the config', async () => {
      await withConfig('  version_floor: "1.5.0"\n', () =>
        expectRefusal(good, /older than the minimum version 1.5.0/),
      );
    });

    scenario('when the backup would not fit', async () => {
      const filler = join(device.dataFolder, 'filler');
      await device.run('fallocate', ['-l', '210M', filler]);
      await withConfig(
        '  backup_deadline_seconds: 60\n',
        () => expectRefusal(good, /the backup needs .* are free/),
        100,
      );
      rmSync(filler);
    });

    typical('when the user inhibits it', async () => {
      writeData(device, 'update/inhibit', 'we have guests\n');
      await expectRefusal(good, /updates are inhibited: we have guests/);
      rmSync(join(device.dataFolder, 'update', 'inhibit'));
    });

    scenario('when the config is wrong, naming file, line and key', async () => {
      await withConfig('  migrate_in: later\n', () =>
        expectRefusal(good, /orchestrator.yaml": line \d+, key update.migrate_in/),
      );
    });

    later('when install-check is killed', async () => {
      const bundle = await bundleOf(workshop, { version: '1.1.0', hasFaultPoints: true });
      const environment = { HOMIE_FAULT: 'kill@install-check:read' };
      await using faulty = await deviceOf(workshop, { environment });
      await startOrchestrator(faulty);
      await expectRefusal(bundle, /killed by signal 9|Child process/, faulty);
    });

    scenario('when install-check hangs: its deadline ends it', async () => {
      const bundle = await bundleOf(workshop, { version: '1.1.0', hasFaultPoints: true });
      const environment = { HOMIE_FAULT: 'hang@install-check:read', HOMIE_FAULT_DEADLINE_MS: '2000' };
      await using faulty = await deviceOf(workshop, { environment });
      await startOrchestrator(faulty);
      await expectRefusal(bundle, /Cannot finish install-check: it did not end within 2 s/, faulty);
    });

    later('when its root was dropped from the keyring; old and new are taken before', async () => {
      const folder = join(workshop.folder, 'rotation');
      const old = await createKeys(folder);
      const first = await bundleOf(workshop, { version: '1.1.0', keys: old });
      const rotated = await rotateKeys(folder);
      const second = await bundleOf(workshop, { version: '1.2.0', keys: rotated });
      for (const bundle of [first, second]) {
        await using trusting = await deviceOf(workshop, { keyringPath: rotated.keyringPath });
        expect(await install(trusting, bundle)).toEqual({ exitCode: 0, lastError: '' });
      }
      const dropped = await dropOldRoots(folder);
      await using strict = await deviceOf(workshop, { keyringPath: dropped.keyringPath });
      await expectRefusal(first, /signature|certificate/i, strict);
      expect(await install(strict, second)).toEqual({ exitCode: 0, lastError: '' });
    });

    scenario('and the same device still takes a good one', async () => {
      expect(await install(device, good)).toEqual({ exitCode: 0, lastError: '' });
    });

    /** The good bundle with another signature; RAUC checks no dates when it only signs. */
    async function resigned(keys: { certificatePath: string; keyPath: string }): Promise<string> {
      return rewriteManifest({ bundle: good, folder: workshop.folder, keys, edit: (text) => text });
    }

    async function rewritten(pattern: RegExp, replacement: string): Promise<string> {
      const edit = (text: string): string => text.replace(pattern, replacement);
      return rewriteManifest({ bundle: good, folder: workshop.folder, keys: workshop.keys, edit });
    }

    async function withConfig(lines: string, work: () => Promise<void>, reserveMiB?: number): Promise<void> {
      const file = join(device.dataFolder, 'config', 'orchestrator.yaml');
      const before = readFileSync(file, 'utf8');
      const changed =
        reserveMiB === undefined ? before : before.replace(/reserve_mib: \d+/, `reserve_mib: ${reserveMiB}`);
      writeFileSync(file, changed + lines);
      try {
        await work();
      } finally {
        writeFileSync(file, before);
      }
    }
  },
);

function committed(version: string) {
  const release = { version, slot: 'rootfs.0' };
  const step = { state: 'committed', at: '2026-01-01T00:00:00Z', bootId: 'earlier', ...release };
  return { format: 1, id: 'earlier', from: release, to: release, steps: [step], isClosed: true };
}
