import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { isMissing } from '../../system/failure.ts';
import { copyDurably } from '../../system/files/durable-file.ts';
import { pathInRoot } from '../../system/files/rooted-path.ts';

/**
 * What others know the device by, and a new slot would make anew: the machine id, by which the journal goes on, and the
 * host keys of ssh, which else look like an attack. What the slot has of its own stays. Answers with what was carried.
 */
export function carryIdentity(root: string, slotMount: string): string[] {
  return [...carryMachineId(root, slotMount), ...carryHostKeys(root, slotMount)];
}

const machineId = 'etc/machine-id';
const keyFolder = 'etc/ssh';

function carryMachineId(root: string, slotMount: string): string[] {
  const own = readIfThere(join(root, machineId));
  const place = pathInRoot(slotMount, machineId);
  // machine-id(5): empty or "uninitialized" until the first boot.
  if (!isMachineId(own) || isMachineId(readIfThere(place))) return [];
  copyDurably(join(root, machineId), place, 0o444);
  return [machineId];
}

function isMachineId(text: string): boolean {
  return /^[0-9a-f]{32}\n?$/.test(text);
}

function carryHostKeys(root: string, slotMount: string): string[] {
  const target = pathInRoot(slotMount, keyFolder);
  if (!existsSync(target)) return [];
  return namesIn(join(root, keyFolder))
    .filter((name) => /^ssh_host_\w+_key(?:\.pub)?$/.test(name) && !existsSync(join(target, name)))
    .map((name) => {
      const source = join(root, keyFolder, name);
      copyDurably(source, join(target, name), statSync(source).mode & 0o777);
      return `${keyFolder}/${name}`;
    });
}

function namesIn(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder).sort() : [];
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (isMissing(error)) return '';
    throw error;
  }
}
