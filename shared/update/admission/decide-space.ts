import { formatBytes } from '../../system/files/disk.ts';
import type { AdmissionRefusal } from './admission-refusal.ts';

/** The space that one part of an update needs at a path, and the free space there. */
export interface SpaceNeed {
  name: string;
  path: string;
  bytes: number;
  /** The device number of the file system: needs on the same file system add up. */
  device: number;
  freeBytes: number;
}

/** Returns undefined when everything fits. Else reports the first file system that is too small, and names each need on it. */
export function decideSpace(needs: readonly SpaceNeed[]): AdmissionRefusal | undefined {
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
