import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createKeys, type KeySet } from '../../shared/packaging/pki/keys.ts';
import { makeDemoRootfs } from '../../shared/packaging/root/rootfs.ts';
import { compiledPrograms } from '../support/build/compiled-programs.ts';
import { buildTime, packDemoBundle } from '../support/build/pack-bundle.ts';
import { thisArchitecture } from '../support/build/this-architecture.ts';

/** What the boards of a fleet are made of: the programs with fault points, bundles, keys. */
export interface FleetWorkshop extends Disposable {
  folder: string;
  keys: KeySet;
  programs: string;
  /** The same for this machine: without an emulator they can be measured. */
  nativePrograms: string;
  factoryRootfs: string;
  /** Signed by this workshop's keys, or by others. */
  bundle(version: string, keys?: KeySet): Promise<string>;
}

/** The programs as they ship; on another machine as a Cortex-A57. */
const architecture = 'arm64';
const factoryVersion = '1.0.0';

export async function openFleetWorkshop(): Promise<FleetWorkshop> {
  const folder = mkdtempSync(join(tmpdir(), 'homie-fleet-'));
  const factoryRootfs = join(folder, 'factory.ext4');
  const close = () => rmSync(folder, { recursive: true, force: true });
  try {
    const programs = await compiledPrograms({ architecture, hasFaultPoints: true });
    const nativePrograms = await compiledPrograms({ architecture: thisArchitecture });
    await makeDemoRootfs(factoryRootfs, factoryVersion, buildTime);
    const keys = await createKeys(join(folder, 'keys'));
    return {
      folder,
      keys,
      programs,
      nativePrograms,
      factoryRootfs,
      bundle: (version, others) => {
        const output = join(folder, `homie-${version}${others === undefined ? '' : '-others'}.raucb`);
        return packDemoBundle({ programs, architecture, version, keys: others ?? keys, output });
      },
      [Symbol.dispose]: close,
    };
  } catch (error) {
    close();
    throw error;
  }
}
