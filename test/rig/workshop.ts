import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeBundle } from '../../shared/packaging/bundle.ts';
import { compilePrograms } from '../../shared/packaging/compile.ts';
import { createDevice, type DeviceOptions } from '../../shared/packaging/device/device.ts';
import type { Device } from '../../shared/packaging/device/running-device.ts';
import { createKeys, type KeySet } from '../../shared/packaging/keys.ts';
import type { Architecture } from '../../shared/packaging/project.ts';
import { makeDemoRootfs } from '../../shared/packaging/rootfs.ts';
import { createLog } from '../../shared/system/log.ts';
import { thisArchitecture } from '../support/this-architecture.ts';

/** What all scenarios need, made once: keys, programs as they ship, programs with fault points, root images. */
export interface Workshop extends Disposable {
  folder: string;
  keys: KeySet;
  programs: string;
  /** What `programs` are compiled for. */
  architecture: Architecture;
  /** For this machine: nobody ever gets them, and an emulator would take most of a test's time. */
  faultPrograms: string;
  factoryRootfs: string;
}

export interface BundleWish {
  version: string;
  keys?: Pick<KeySet, 'certificatePath' | 'keyPath' | 'keyringPath'>;
  hasFaultPoints?: boolean;
}

const buildTime = new Date('2026-01-01T00:00:00Z');
const factoryVersion = '1.0.0';

/** Of a board's programs, unless a story asks for this machine's, which proves the same in a fraction of the time. */
export async function openWorkshop(architecture: Architecture = 'arm64'): Promise<Workshop> {
  const folder = mkdtempSync(join(tmpdir(), 'homie-rig-'));
  const programs = join(folder, 'programs');
  const faultPrograms = join(folder, 'fault-programs');
  const factoryRootfs = join(folder, 'factory.ext4');
  try {
    await compilePrograms(programs, { architecture });
    await compilePrograms(faultPrograms, { architecture: thisArchitecture, hasFaultPoints: true });
    await makeDemoRootfs(factoryRootfs, factoryVersion, buildTime);
    const keys = await createKeys(join(folder, 'keys'));
    const close = () => rmSync(folder, { recursive: true, force: true });
    const parts = { folder, keys, programs, architecture, faultPrograms, factoryRootfs };
    return { ...parts, [Symbol.dispose]: close };
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

/** A bundle as `build.ts bundle` makes it; one that was asked for before is answered again. */
export async function bundleOf(workshop: Workshop, wish: BundleWish): Promise<string> {
  const { version, hasFaultPoints = false, keys = workshop.keys } = wish;
  const name = `${version}-${hasFaultPoints ? 'faults' : 'shipped'}-${Bun.hash(keys.certificatePath)}`;
  const output = join(workshop.folder, `${name}.raucb`);
  if (await Bun.file(output).exists()) return output;
  const rootfs = join(workshop.folder, `${version}.ext4`);
  await makeDemoRootfs(rootfs, version, buildTime);
  await makeBundle({
    rootfs,
    ...programsOf(workshop, hasFaultPoints),
    version,
    time: buildTime,
    revision: 'rig',
    format: 'plain',
    compression: 'lz4',
    certificate: keys.certificatePath,
    key: keys.keyPath,
    intermediates: [],
    keyring: keys.keyringPath,
    isFlat: false,
    output,
    cache: join(workshop.folder, 'cache'),
    log: createLog('rig'),
  });
  return output;
}

/** What a bundle carries. */
export function programsOf(
  { programs, architecture, faultPrograms }: Workshop,
  hasFaultPoints: boolean,
): { programs: string; architecture: Architecture } {
  return hasFaultPoints
    ? { programs: faultPrograms, architecture: thisArchitecture }
    : { programs, architecture };
}

export async function deviceOf(workshop: Workshop, options: Partial<DeviceOptions> = {}): Promise<Device> {
  return createDevice({
    folder: mkdtempSync(join(tmpdir(), 'homie-rig-device-')),
    keyringPath: workshop.keys.keyringPath,
    rootfsImage: workshop.factoryRootfs,
    ...options,
  });
}
