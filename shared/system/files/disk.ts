import { type Dirent, lstatSync, readdirSync, readFileSync, statfsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Failure, isMissing, reasonOf } from '../failure.ts';

/** Free bytes for us on the file system of the path, or of its nearest folder that exists. */
export function freeBytesOn(path: string): number {
  for (let place = path; ; place = dirname(place)) {
    try {
      const { bavail, bsize } = statfsSync(place);
      return bavail * bsize;
    } catch (error) {
      if (isMissing(error) && place !== dirname(place)) continue;
      throw new Failure(`Cannot find the free space of "${path}": ${reasonOf(error)}`, { cause: error });
    }
  }
}

/** Inodes that are free on the file system of the path; undefined where it makes them as needed, as btrfs does. */
export function freeFilesOn(path: string): number | undefined {
  const { files, ffree } = statfsSync(path);
  return files === 0 ? undefined : ffree;
}

/** Bytes of all regular files below the folder, links not followed; 0 where there is none. */
export function treeBytes(folder: string): number {
  let bytes = 0;
  const folders = [folder];
  for (let current = folders.pop(); current !== undefined; current = folders.pop()) {
    for (const entry of entriesOf(current)) {
      const path = join(current, entry.name);
      if (entry.isDirectory()) folders.push(path);
      else if (entry.isFile()) bytes += lstatSync(path, { throwIfNoEntry: false })?.size ?? 0;
    }
  }
  return bytes;
}

function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    if (isMissing(error)) return [];
    throw new Failure(`Cannot list the folder "${folder}": ${reasonOf(error)}`, { cause: error });
  }
}

/**
 * The size of a slot's device, under any of its names, or of the file that stands for one; `undefined` if there is
 * none. The device is not opened: in a sandbox without devices access(2) reports that there is none.
 */
export function deviceBytes(path: string): number | undefined {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  if (stat === undefined) return undefined;
  if (!stat.isBlockDevice()) return Number(stat.size);
  const { major, minor } = deviceNumber(stat.rdev);
  return Number(readFileSync(`/sys/dev/block/${major}:${minor}/size`, 'utf8')) * 512;
}

/** makedev(3): how Linux packs the two numbers into one. */
function deviceNumber(rdev: bigint): { major: bigint; minor: bigint } {
  return {
    major: ((rdev >> 8n) & 0xfffn) | ((rdev >> 32n) & ~0xfffn),
    minor: (rdev & 0xffn) | ((rdev >> 12n) & ~0xffn),
  };
}

/** `1.5 MiB`: powers of 1024, as disks are partitioned. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let unit = 0;
  while (Math.round(value) >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}
