import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { isMissing } from '../../system/failure.ts';
import { copyDurably } from '../../system/files/durable-file.ts';
import { pathInRoot } from '../../system/files/rooted-path.ts';

/**
 * Copies to the new slot the identity that it would otherwise create anew: the machine id, under which the journal
 * continues, and the ssh host keys, whose change looks like an attack. Files that the slot already has stay. Answers with
 * the copied paths.
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
