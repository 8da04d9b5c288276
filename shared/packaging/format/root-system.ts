import { parse } from 'yaml';
import { namesIn, readFileIn } from '../format/ext4-file.ts';

/** What the Linux system in an image has of that which an update needs in its first boot. */
export interface RootSystem {
  /** The version of systemd; undefined where it cannot be told. */
  systemd: string | undefined;
  hasRauc: boolean;
  /** Undefined where it was not installed as a Debian package. */
  rauc: string | undefined;
  mountsData: boolean;
  /** Whether it has a compose file with services in it. */
  needsCompose: boolean;
  hasCompose: boolean;
}

const composeFile = '/opt/homie_orchestrator/docker-compose.yml';
const units = [
  '/etc/systemd/system',
  '/usr/lib/systemd/system',
  '/lib/systemd/system',
  '/usr/local/lib/systemd/system',
];
const programs = ['/usr/bin', '/usr/sbin', '/usr/local/bin', '/usr/local/sbin', '/bin', '/sbin'];
/** Where Docker looks for its plugins, on the device. */
const plugins = [
  '/usr/libexec/docker/cli-plugins',
  '/usr/lib/docker/cli-plugins',
  '/usr/local/libexec/docker/cli-plugins',
  '/usr/local/lib/docker/cli-plugins',
  '/root/.docker/cli-plugins',
];

/** Reads an ext4 image without mounting it. Undefined where it has no systemd, and so is no root of our devices. */
export async function readRootSystem(image: string): Promise<RootSystem | undefined> {
  const inFolders = async (folders: readonly string[]): Promise<string[]> =>
    (await Promise.all(folders.map((folder) => namesIn(image, folder)))).flat();
  const systemdFolder = await inFolders(['/usr/lib/systemd', '/lib/systemd']);
  if (!systemdFolder.includes('systemd')) return undefined;
  const packages = await readFileIn(image, '/var/lib/dpkg/status');
  const names = await inFolders(programs);
  return {
    systemd: versionOfLibrary(systemdFolder) ?? debianVersionIn(packages, 'systemd'),
    hasRauc: names.includes('rauc'),
    rauc: debianVersionIn(packages, 'rauc'),
    mountsData: mountsData(await readFileIn(image, '/etc/fstab'), await inFolders(units)),
    needsCompose: hasServices(await readFileIn(image, composeFile)),
    hasCompose: [...names, ...(await inFolders(plugins))].includes('docker-compose'),
  };
}

function hasServices(composeText: string): boolean {
  try {
    const content: unknown = parse(composeText);
    return (
      typeof content === 'object' && content !== null && 'services' in content && content.services !== null
    );
  } catch {
    return false;
  }
}

/** systemd(1) comes with a library of its own, whose name has the version: `libsystemd-shared-252.so`. */
function versionOfLibrary(names: readonly string[]): string | undefined {
  const found = names.map((name) => /^libsystemd-shared-(\d+)[^/]*\.so$/.exec(name)?.[1]);
  return found.find((version) => version !== undefined);
}

/** The upstream version of an installed package in dpkg's status file: without the epoch and Debian's own part. */
export function debianVersionIn(status: string, name: string): string | undefined {
  const stanza = status
    .split(/\n\n+/)
    .find((text) => text.split('\n').includes(`Package: ${name}`) && /^Status: .* installed$/m.test(text));
  const version = /^Version: (?:\d+:)?(\S+)$/m.exec(stanza ?? '')?.[1];
  return version?.replace(/-[^-]*$/, '');
}

/** fstab(5): the second field is the mount point. A mount unit has the name of its own. */
export function mountsData(fstab: string, unitNames: readonly string[]): boolean {
  const points = fstab
    .split('\n')
    .filter((line) => !/^\s*#/.test(line))
    .map((line) => line.trim().split(/\s+/)[1]);
  return points.some((point) => point === '/data' || point === '/data/') || unitNames.includes('data.mount');
}
