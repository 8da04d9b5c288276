import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { Deadline, pause } from '../../system/deadline.ts';
import { Failure } from '../../system/failure.ts';
import { onHost } from './host.ts';
import { mountsBelow, unmountBelow } from './mount.ts';
import { endProcesses } from './processes.ts';

const detachMs = 10_000;

/**
 * Removes a device from this machine: processes, mounts, loop devices, folder. It looks at the machine, not at records: so
 * it works for a complete device, an incomplete one and none, and for what a killed program left. Throws a Failure if a
 * mount or loop device stays in use.
 */
export async function clearDevice(folder: string): Promise<void> {
  await endProcesses(folder, { graceMs: 0 });
  await unmountBelow(folder);
  for (const loop of loopsBelow(folder)) await onHost({ accept: 'any' })`losetup --detach ${loop}`;
  const mounts = mountsBelow(folder);
  // Removing the folder now would delete the files of the file system that is mounted there.
  if (mounts.length > 0)
    throw new Failure(`Cannot remove "${folder}": "${mounts[0]}" is still mounted`, {
      advice: 'Unmount it by hand, then remove the folder',
    });
  await onHost()`rm -rf --one-file-system ${folder}`;
  await detachAll(folder);
}

/** A tool that was killed holds its loop device until the kernel has ended it, and losetup may just be attaching one. */
async function detachAll(folder: string): Promise<void> {
  const deadline = new Deadline(detachMs);
  for (;;) {
    const loops = loopsBelow(folder);
    if (loops.length === 0) return;
    if (deadline.isOver) throw new Failure(`Cannot detach "${loops.join(' ')}": still in use`);
    for (const loop of loops) await onHost({ accept: 'any' })`losetup --detach ${loop}`;
    await pause(50);
  }
}

/** The loop devices whose file lies below the folder. */
function loopsBelow(folder: string): string[] {
  return readdirSync('/sys/block')
    .filter((name) => name.startsWith('loop') && existsSync(`/sys/block/${name}/loop/backing_file`))
    .filter((name) => backingFileOf(name).startsWith(`${folder}/`))
    .map((name) => `/dev/${name}`);
}

function backingFileOf(loop: string): string {
  try {
    return readFileSync(`/sys/block/${loop}/loop/backing_file`, 'utf8').trim();
  } catch {
    return ''; // It was detached meanwhile.
  }
}
