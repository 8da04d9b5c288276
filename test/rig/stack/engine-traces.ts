import { existsSync, readdirSync, rmdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { onHost } from '../../../shared/packaging/device/host.ts';
import { clearDevice } from '../../../shared/packaging/device/leftovers.ts';
import { endProcesses } from '../../../shared/packaging/device/processes.ts';
import { errorCodeOf, isMissing } from '../../../shared/system/failure.ts';
import type { EnginePlace } from './engine-place.ts';
import { waitFor } from './wait-for.ts';

const cgroupRoot = '/sys/fs/cgroup';

/** All of this engine's networks come from here; none of another's do. */
export function addressesOf({ number }: EnginePlace): string {
  return `10.${200 + number}`;
}

export function cgroupOf({ number }: EnginePlace): string {
  return `homie-engine-${number}`;
}

/** As if the power were cut: nothing of the engine runs, its networks are gone; what it has stored stays. */
export async function cutPower(place: EnginePlace): Promise<void> {
  await endProcesses(place.folder, { graceMs: 0 });
  for (const bridge of await bridgesOf(place)) await removeBridge(bridge);
  for (const folder of cgroupFoldersOf(place)) await removeCgroup(folder);
}

/** Goes by what the machine shows: it serves a whole engine, half a one and the remains of one. The folder goes too. */
export async function clearTraces(place: EnginePlace): Promise<void> {
  await cutPower(place);
  await clearDevice(place.folder);
}

interface Link {
  ifname: string;
  addr_info?: { local?: string }[];
}

export async function bridgesOf(place: EnginePlace): Promise<string[]> {
  const { stdout } = await onHost()`ip -json address show type bridge`;
  const links: Link[] = JSON.parse(stdout || '[]');
  const prefix = `${addressesOf(place)}.`;
  return links
    .filter(({ addr_info: addresses = [] }) => addresses.some(({ local }) => local?.startsWith(prefix)))
    .map(({ ifname }) => ifname);
}

/**
 * The kernel takes a dead container's end of the cable away, and with it ours, a moment later. But a cable whose other
 * end had not reached its container when the engine was killed stays, both ends here: so each is taken off by us.
 */
async function removeBridge(bridge: string): Promise<void> {
  const cables = join('/sys/class/net', bridge, 'brif');
  await waitFor(`the last cable of ${bridge}`, () => removeCables(cables), { deadlineMs: 10_000 });
  await onHost()`ip link delete ${bridge}`;
}

async function removeCables(folder: string): Promise<boolean> {
  const cables = readdirSync(folder);
  for (const cable of cables) await onHost({ accept: 'any' })`ip link delete ${cable}`;
  return cables.length === 0;
}

/** One a hierarchy, or just one where there is one hierarchy. */
export function cgroupFoldersOf(place: EnginePlace): string[] {
  if (!existsSync(cgroupRoot)) return [];
  return [cgroupRoot, ...readdirSync(cgroupRoot).map((name) => join(cgroupRoot, name))]
    .map((hierarchy) => join(hierarchy, cgroupOf(place)))
    .filter((folder) => existsSync(folder));
}

async function removeCgroup(folder: string): Promise<void> {
  for (const name of readdirSync(folder)) {
    const inner = join(folder, name);
    if (statSync(inner).isDirectory()) await removeCgroup(inner);
  }
  // It stays busy until the kernel has buried its last process.
  await waitFor(`the end of ${folder}`, () => {
    try {
      rmdirSync(folder);
      return true;
    } catch (error) {
      if (isMissing(error)) return true;
      if (errorCodeOf(error) === 'EBUSY') return false;
      throw error;
    }
  });
}
