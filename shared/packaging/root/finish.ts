import { existsSync, globSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Failure, reasonOf } from '../../system/failure.ts';
import { command } from '../../system/process/command.ts';

const chrootMs = 20 * 60_000;

/** What is started at boot, beside what its package starts by itself; not every suite has each of them. */
const enabled = [
  'homie-data.service',
  'homie-grow-data.service',
  'var-log-journal.mount',
  'homie-orchestrator.service',
  'systemd-networkd.service',
  'systemd-resolved.service',
  'systemd-timesyncd.service',
];
/** A slot changes by an update of the whole, or not at all. */
const masked = ['apt-daily.timer', 'apt-daily-upgrade.timer'];

/** Lets the tree's own tools make groups and enable units; what only one device may have goes. Needs root. */
export async function finishTree(tree: string, signal?: AbortSignal): Promise<void> {
  const run = command({ deadlineMs: chrootMs, signal });
  try {
    await run`chroot ${tree} systemd-sysusers /usr/lib/sysusers.d/homie.conf`;
    await run`chroot ${tree} systemctl enable ${enabled.filter((unit) => hasUnit(tree, unit))}`;
    await run`chroot ${tree} systemctl mask ${masked.filter((unit) => hasUnit(tree, unit))}`;
  } catch (error) {
    throw new Failure(`Cannot finish the root file system: ${reasonOf(error)}`, { cause: error });
  }
  // Made at the first boot, so that no two devices are the same. Empty, not "uninitialized": that would be a first boot
  // in the sense of systemd, which then enables whatever has an [Install] section, in every new slot.
  writeFileSync(join(tree, 'etc/machine-id'), '');
  for (const path of onlyOfOneDevice.flatMap((pattern) => globSync(pattern, { cwd: tree }))) {
    rmSync(join(tree, path), { recursive: true, force: true });
  }
}

/** Times, names and keys of the build, and caches that only cost room. */
const onlyOfOneDevice = [
  'etc/ssh/ssh_host_*',
  'etc/.pwd.lock',
  'etc/*-',
  'var/lib/systemd/random-seed',
  'var/lib/dbus/machine-id',
  'var/cache/ldconfig/aux-cache',
  'var/cache/apt/*.bin',
  'var/lib/apt/lists/*',
  'var/log/*.log',
  'var/log/apt',
  'tmp/*',
  'root/.cache',
];

function hasUnit(tree: string, unit: string): boolean {
  return ['usr/lib', 'lib', 'etc'].some((place) => existsSync(join(tree, place, 'systemd/system', unit)));
}
