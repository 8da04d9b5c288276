import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { onHost } from '../../../shared/packaging/device/host.ts';
import { mountsBelow } from '../../../shared/packaging/device/mount.ts';
import { processesOf } from '../../../shared/packaging/device/processes.ts';
import { pause } from '../../../shared/system/deadline.ts';
import { freeNumbers } from './engine-place.ts';
import { bridgesOf, cgroupFoldersOf } from './engine-traces.ts';

/** All that an engine could leave on this machine; other tests' loop devices and mounts are not in it. */
export interface Traces {
  processes: number;
  mounts: string[];
  bridges: string[];
  /** Cables whose other end is no longer held by a bridge. */
  looseCables: string[];
  namedNetworks: string[];
  packetFilter: string;
  cgroups: string[];
  loopDevices: string[];
  folders: string[];
}

const folderNames = ['/opt', '/run', '/var/lib', '/etc/docker'];

/** Of the engine in the folder; without its number, for a stopped engine: of all numbers that are not in use. */
export async function tracesOf(folder: string, number?: number): Promise<Traces> {
  const places = (number === undefined ? freeNumbers() : [number]).map((number) => ({ number, folder }));
  const bridges = await Promise.all(places.map(bridgesOf));
  const looseCables = await looseCablesNow();
  // Another engine's are so for a moment, between their making and their plugging in.
  if (looseCables.length > 0) await pause(500);
  const stillLoose = looseCables.length > 0 ? await looseCablesNow() : [];
  const { stdout: packetFilter } = await onHost()`iptables-save`;
  return {
    processes: processesOf(folder).length,
    mounts: [...mountsBelow(folder), ...linesWith('/proc/self/mounts', /^(overlay|nsfs|shm) .*docker/)],
    bridges: bridges.flat(),
    looseCables: stillLoose.filter((cable) => looseCables.includes(cable)),
    namedNetworks: existsSync('/run/netns') ? readdirSync('/run/netns') : [],
    packetFilter: packetFilter.replace(/^#.*\n/gm, '').replace(/\[\d+:\d+\]/g, ''),
    cgroups: places.flatMap(cgroupFoldersOf),
    loopDevices: readdirSync('/sys/block').filter((name) => backingFileOf(name).startsWith(folder)),
    folders: [
      ...[folder].filter((path) => existsSync(path)),
      ...folderNames.flatMap((name) =>
        readdirSync(name).filter((inner) => /docker|containerd|runc/.test(inner)),
      ),
    ],
  };
}

async function looseCablesNow(): Promise<string[]> {
  const { stdout } = await onHost()`ip -brief link show type veth nomaster`;
  return stdout.split('\n').filter(Boolean);
}

function backingFileOf(block: string): string {
  const file = `/sys/block/${block}/loop/backing_file`;
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
}

function linesWith(file: string, pattern: RegExp): string[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => pattern.test(line));
}
