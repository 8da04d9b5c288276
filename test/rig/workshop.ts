import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDevice, type DeviceOptions } from '../../shared/packaging/device/device.ts';
import type { EmbeddedDevice } from '../../shared/packaging/device/running-device.ts';
import { createKeys, type KeySet } from '../../shared/packaging/pki/keys.ts';
import type { Architecture } from '../../shared/packaging/project.ts';
import { makeDemoRootfs } from '../../shared/packaging/root/rootfs.ts';
import { compiledPrograms } from '../support/build/compiled-programs.ts';
import { nativePrograms } from '../support/build/native-programs.ts';
import { buildTime, packDemoBundle } from '../support/build/pack-bundle.ts';
import { thisArchitecture } from '../support/build/this-architecture.ts';

/** What all scenarios need, made once: keys, programs as they ship, programs with fault points, root images. */
export interface Workshop extends Disposable {
  folder: string;
  keys: KeySet;
  programs: string;
  /** What `programs` are compiled for. */
  architecture: Architecture;
  factoryRootfs: string;
}

export interface BundleWish {
  version: string;
  keys?: Pick<KeySet, 'certificatePath' | 'keyPath' | 'keyringPath'>;
  hasFaultPoints?: boolean;
}

const factoryVersion = '1.0.0';

/** Of this machine's programs, unless a story asks for a board's, which an emulator runs many times slower. */
export async function openWorkshop(architecture = thisArchitecture): Promise<Workshop> {
  const folder = mkdtempSync(join(tmpdir(), 'homie-rig-'));
  const close = () => rmSync(folder, { recursive: true, force: true });
  const factoryRootfs = join(folder, 'factory.ext4');
  try {
    const programs = await compiledPrograms({ architecture });
    await makeDemoRootfs(factoryRootfs, factoryVersion, buildTime);
    const keys = await createKeys(join(folder, 'keys'));
    return { folder, keys, programs, architecture, factoryRootfs, [Symbol.dispose]: close };
  } catch (error) {
    close();
    throw error;
  }
}

/** A bundle as `build.ts bundle` makes it; one that was asked for before is answered again. */
export function bundleOf(workshop: Workshop, wish: BundleWish): Promise<string> {
  const { version, hasFaultPoints = false, keys = workshop.keys } = wish;
  const name = `${version}-${hasFaultPoints ? 'faults' : 'shipped'}-${Bun.hash(keys.certificatePath)}`;
  const output = join(workshop.folder, `${name}.raucb`);
  return packDemoBundle({ ...programsOf(workshop, hasFaultPoints), version, keys, output });
}

/** The content of a bundle. Programs with fault points are only for this machine: they are never shipped. */
export function programsOf(
  { programs, architecture }: Workshop,
  hasFaultPoints: boolean,
): { programs: string; architecture: Architecture } {
  return hasFaultPoints
    ? { programs: nativePrograms, architecture: thisArchitecture }
    : { programs, architecture };
}

export async function deviceOf(
  workshop: Workshop,
  options: Partial<DeviceOptions> = {},
): Promise<EmbeddedDevice> {
  return createDevice({
    folder: mkdtempSync(join(tmpdir(), 'homie-rig-device-')),
    keyringPath: workshop.keys.keyringPath,
    rootfsImage: workshop.factoryRootfs,
    ...options,
  });
}
