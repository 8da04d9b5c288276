import { lstatSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { isMissing, reasonOf } from '../../system/failure.ts';
import { atStep } from '../../system/fault-point.ts';
import { formatBytes } from '../../system/files/disk.ts';
import { syncFolder } from '../../system/files/durable-file.ts';
import type { Log } from '../../system/terminal/log.ts';

export interface BackupFile {
  path: string;
  bytes: number;
  /** When it was written, milliseconds; by the board's clock, which may be wrong. */
  at: number;
}

export interface Retention {
  /** How many of each family are kept. */
  keep: number;
  /** The most bytes of all backups together; the newest of each family is kept even beyond it. */
  budgetBytes?: number | undefined;
  /** Paths that are kept at any age: a clock that was set back makes the newest look old. */
  inUse?: readonly string[];
}

const checksumEnd = '.sha256';
/** Backups of files, dumps and saved redis files are separate families. */
const familyName = /^(pre-update|pre-migrate|manual)-.+\.(tar\.zst|dump|rdb)$/;
/** Leftovers of a killed run; no program writes a backup while this is checked. */
export const leftoverName = /^(pre-update|pre-migrate|manual)-.+\.part$/;

interface Backup extends BackupFile {
  family: string;
}

/**
 * The paths to remove, in this order: a backup before its checksum, so that a visible backup always has one. Never
 * includes files of other programs.
 */
export function chooseExpired(
  files: readonly BackupFile[],
  { keep, budgetBytes, inUse = [] }: Retention,
): string[] {
  const backups = files.flatMap(readBackup).sort(newestFirst);
  const checksums = new Map(files.filter(isChecksum).map((file) => [file.path, file]));
  const withChecksum = ({ path, bytes }: BackupFile): number =>
    bytes + (checksums.get(path + checksumEnd)?.bytes ?? 0);

  const seen = new Map<string, number>();
  const isNeeded = ({ path }: BackupFile, rank: number): boolean => rank === 0 || inUse.includes(path);
  const ranked = backups.map((backup) => {
    const rank = seen.get(backup.family) ?? 0;
    seen.set(backup.family, rank + 1);
    return { backup, isNeeded: isNeeded(backup, rank), isOver: rank >= keep };
  });
  const expired = new Set(
    ranked.filter(({ isNeeded, isOver }) => isOver && !isNeeded).map(({ backup }) => backup),
  );
  let bytes = backups
    .filter((backup) => !expired.has(backup))
    .reduce((sum, backup) => sum + withChecksum(backup), 0);
  for (const { backup, isNeeded } of ranked.toReversed()) {
    if (budgetBytes === undefined || bytes <= budgetBytes) break;
    if (isNeeded || expired.has(backup)) continue;
    expired.add(backup);
    bytes -= withChecksum(backup);
  }

  const kept = new Set(backups.filter((backup) => !expired.has(backup)).map(({ path }) => path));
  const alone = [...checksums.keys()].filter((path) => !kept.has(path.slice(0, -checksumEnd.length)));
  const leftovers = files.filter(({ path }) => leftoverName.test(nameOf(path))).map(({ path }) => path);
  return [
    ...backups
      .filter((backup) => expired.has(backup))
      .toReversed()
      .map(({ path }) => path),
    ...alone.sort(),
    ...leftovers.sort(),
  ];
}

/**
 * Removes expired backups; call it only while no program writes there. A file that cannot be removed is a warning, no
 * failure. Returns the removed paths.
 */
export function expireBackups(folder: string, options: Retention & { log: Log }): string[] {
  const files = listFiles(folder);
  const removed: string[] = [];
  for (const path of chooseExpired(files, options)) {
    try {
      atStep(
        () => `remove ${nameOf(path)}`,
        () => rmSync(path),
      );
      removed.push(path);
      const bytes = files.find((file) => file.path === path)?.bytes ?? 0;
      if (!path.endsWith(checksumEnd))
        options.log.info(`Removed the old backup "${path}" (${formatBytes(bytes)})`);
    } catch (error) {
      options.log.warn(`Cannot remove the old backup "${path}": ${reasonOf(error)}`);
    }
  }
  if (removed.length > 0) syncFolder(folder);
  return removed;
}

function listFiles(folder: string): BackupFile[] {
  try {
    return readdirSync(folder).flatMap((name) => {
      const path = join(folder, name);
      const stats = lstatSync(path, { throwIfNoEntry: false });
      return stats?.isFile() ? [{ path, bytes: stats.size, at: stats.mtimeMs }] : [];
    });
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

function readBackup(file: BackupFile): Backup[] {
  const [, prefix, kind] = familyName.exec(nameOf(file.path)) ?? [];
  return prefix === undefined || kind === undefined ? [] : [{ ...file, family: `${prefix} ${kind}` }];
}

function isChecksum({ path }: BackupFile): boolean {
  const name = nameOf(path);
  return name.endsWith(checksumEnd) && familyName.test(name.slice(0, -checksumEnd.length));
}

/** Backups of the same time, which a clock at 1970 easily gives, are sorted by name, the later name first. */
function newestFirst(one: BackupFile, other: BackupFile): number {
  return other.at - one.at || (one.path < other.path ? 1 : -1);
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
