import { existsSync, globSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Failure, reasonOf } from '../../system/failure.ts';
import { command } from '../../system/process/command.ts';

const chrootMs = 20 * 60_000;

/** The units to enable, in addition to those that their packages enable; not every suite has each of them. */
const enabled = [
  'homie-data.service',
  'homie-grow-data.service',
  'var-log-journal.mount',
  'homie-orchestrator.service',
  'systemd-networkd.service',
  'systemd-resolved.service',
  'systemd-timesyncd.service',
];
/** Masked, because a slot changes only as a whole, by an update. */
const masked = ['apt-daily.timer', 'apt-daily-upgrade.timer'];

/** Lets the tree's own tools make groups and enable units, and removes files that only one device may have. Needs root. */
export async function finishTree(tree: string, signal?: AbortSignal): Promise<void> {
  const run = command({ deadlineMs: chrootMs, signal });
  try {
    await run`chroot ${tree} systemd-sysusers /usr/lib/sysusers.d/homie.conf`;
    await run`chroot ${tree} systemctl enable ${enabled.filter((unit) => hasUnit(tree, unit))}`;
    await run`chroot ${tree} systemctl mask ${masked.filter((unit) => hasUnit(tree, unit))}`;
  } catch (error) {
    throw new Failure(`Cannot finish the root file system: ${reasonOf(error)}`, { cause: error });
  }
  // The machine id is made at the first boot, so that no two devices have the same. The file is empty, not "uninitialized":
  // then systemd would see a first boot in every new slot, and enable every unit that has an [Install] section.
  writeFileSync(join(tree, 'etc/machine-id'), '');
  for (const path of onlyOfOneDevice.flatMap((pattern) => globSync(pattern, { cwd: tree }))) {
    rmSync(join(tree, path), { recursive: true, force: true });
  }
}

/** Times, names and keys of the build, and caches that only take up space. */
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
