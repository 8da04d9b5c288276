import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeBundle } from '../../shared/packaging/bundle.ts';
import { compilePrograms } from '../../shared/packaging/compile.ts';
import { createKeys, type KeySet } from '../../shared/packaging/keys.ts';
import { makeDemoRootfs } from '../../shared/packaging/rootfs.ts';
import { createLog } from '../../shared/system/log.ts';
import { thisArchitecture } from '../support/this-architecture.ts';

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
const buildTime = new Date('2026-01-01T00:00:00Z');
const factoryVersion = '1.0.0';

export async function openFleetWorkshop(): Promise<FleetWorkshop> {
  const folder = mkdtempSync(join(tmpdir(), 'homie-fleet-'));
  const programs = join(folder, 'programs');
  const nativePrograms = join(folder, 'native');
  const factoryRootfs = join(folder, 'factory.ext4');
  const close = () => rmSync(folder, { recursive: true, force: true });
  try {
    await compilePrograms(programs, { architecture, hasFaultPoints: true });
    await compilePrograms(nativePrograms, { architecture: thisArchitecture });
    await makeDemoRootfs(factoryRootfs, factoryVersion, buildTime);
    const keys = await createKeys(join(folder, 'keys'));
    const parts = { folder, keys, programs, nativePrograms, factoryRootfs };
    return {
      ...parts,
      bundle: (version, others) => bundleOf(parts, version, others),
      [Symbol.dispose]: close,
    };
  } catch (error) {
    close();
    throw error;
  }
}

async function bundleOf(
  { folder, keys, programs }: Omit<FleetWorkshop, 'bundle' | typeof Symbol.dispose>,
  version: string,
  others?: KeySet,
): Promise<string> {
  const signer = others ?? keys;
  const output = join(folder, `homie-${version}${others === undefined ? '' : '-others'}.raucb`);
  if (await Bun.file(output).exists()) return output;
  const rootfs = join(folder, `${version}.ext4`);
  await makeDemoRootfs(rootfs, version, buildTime);
  await makeBundle({
    rootfs,
    programs,
    architecture,
    version,
    time: buildTime,
    revision: 'fleet',
    format: 'plain',
    compression: 'lz4',
    certificate: signer.certificatePath,
    key: signer.keyPath,
    intermediates: [],
    keyring: signer.keyringPath,
    isFlat: false,
    output,
    cache: join(folder, 'cache'),
    log: createLog('fleet'),
  });
  return output;
}
