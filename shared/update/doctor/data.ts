import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { backupBytesAtMost } from '../../data/backups/backup.ts';
import { formatBytes, freeBytesOn, freeFilesOn, treeBytes } from '../../system/files/disk.ts';
import { bad, type Check, type Judgement, ok, warn, worst } from './check-result.ts';

/** Checks the data partition: it must be a partition of its own, with room for a bundle and a backup. */

export interface DataFacts {
  path: string;
  isThere: boolean;
  /** Whether the path is on a file system of its own. */
  isMounted: boolean;
  isWritable: boolean;
  freeBytes: number;
  /** How many files can still be made; undefined on a file system that sets no limit. */
  freeFiles: number | undefined;
  /** Bytes that a backup of the config needs, with the reserve. */
  backupBytes: number;
}

/** Room for a bundle of the usual size and the dump of a database. */
const comfortBytes = 2 * 1024 * 1024 * 1024;

/** An update makes a few dozen files, beside those of the stack. */
const leastFiles = 1000;

export const data: Check = {
  name: 'data partition',
  async run({ places, config }) {
    const path = places.data;
    const isThere = existsSync(path);
    return judgeData({
      path,
      isThere,
      isMounted: isThere && statSync(path).dev !== statSync(dirname(path)).dev,
      isWritable: isThere && isWritable(path),
      freeBytes: freeBytesOn(path),
      freeFiles: isThere ? freeFilesOn(path) : undefined,
      backupBytes: backupBytesAtMost(treeBytes(config.configPath), config.update.reserveMiB),
    });
  },
};

export function judgeData({
  path,
  isThere,
  isMounted,
  isWritable,
  freeBytes,
  freeFiles,
  backupBytes,
}: DataFacts): Judgement {
  if (!isThere) return bad(`there is no "${path}"`, 'Mount the data partition there, in /etc/fstab');
  const free = `${formatBytes(freeBytes)} are free`;
  return worst(
    [
      isMounted
        ? undefined
        : bad(
            `"${path}" is a folder of the slot: all in it is lost with the next update`,
            'Mount the data partition there, in /etc/fstab',
          ),
      isWritable
        ? undefined
        : bad(`"${path}" cannot be written`, 'See "dmesg": a damaged file system is mounted read-only'),
      freeBytes < backupBytes
        ? bad(
            `${free} on "${path}", the backup alone needs ${formatBytes(backupBytes)}`,
            'Remove old backups or other files',
          )
        : undefined,
      freeFiles !== undefined && freeFiles < leastFiles
        ? bad(
            `only ${freeFiles} more files can be made on "${path}": its inodes are used up`,
            'Remove small files there: "df -i" counts them',
          )
        : undefined,
      freeBytes < comfortBytes
        ? warn(
            `${free} on "${path}", which may be too little for a bundle and a dump`,
            'Remove old backups or other files',
          )
        : undefined,
    ],
    ok(`"${path}" is mounted, ${free}`),
  );
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
