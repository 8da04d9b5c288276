import { formatBytes } from '../../system/files/disk.ts';
import type { Refusal } from './decide-fit.ts';

/** What an update puts somewhere, and how much room there is. */
export interface SpaceNeed {
  name: string;
  path: string;
  bytes: number;
  /** The file system's number: needs on the same one add up. */
  device: number;
  freeBytes: number;
}

/** Undefined: all of it fits. The first file system that is too small is told, with every need on it by its name. */
export function decideSpace(needs: readonly SpaceNeed[]): Refusal | undefined {
  for (const device of new Set(needs.map((need) => need.device))) {
    const here = needs.filter((need) => need.device === device && need.bytes > 0);
    const neededBytes = here.reduce((sum, { bytes }) => sum + bytes, 0);
    const freeBytes = here[0]?.freeBytes ?? 0;
    if (neededBytes <= freeBytes) continue;
    const each = here.map(({ name, bytes }) => `${name} ${formatBytes(bytes)}`).join(', ');
    return {
      outcome: 'noSpace',
      reason: `it needs ${formatBytes(neededBytes)} on the file system of "${here[0]?.path}" (${each}), ${formatBytes(freeBytes)} are free`,
      advice: 'Remove old backups or other files from the data partition',
    };
  }
  return undefined;
}
