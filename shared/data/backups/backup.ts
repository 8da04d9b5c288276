import { join } from 'node:path';

/** The path of the backup before an update: `pre-update-<from>-<to>-<time>.tar.zst`. */
export function backupFile(folder: string, from: string | undefined, to: string, at: Date): string {
  const time = timeInName(at);
  return join(folder, `pre-update-${safe(from ?? 'unknown')}-${safe(to)}-${time}.tar.zst`);
}

/** The path of the database or redis saved before a migration: `pre-migrate-<from>-<to>-<time>.dump`, or .rdb. */
export function dumpFile(
  folder: string,
  from: string | undefined,
  to: string,
  at: Date,
  kind: 'dump' | 'rdb',
): string {
  return join(folder, `pre-migrate-${safe(from ?? 'unknown')}-${safe(to)}-${timeInName(at)}.${kind}`);
}

/** The path of a backup that an operator asked for: `manual-<version>-<time>.tar.zst`, or .dump, or .rdb. */
export function manualFile(
  folder: string,
  version: string | undefined,
  at: Date,
  end: 'tar.zst' | 'dump' | 'rdb',
): string {
  return join(folder, `manual-${safe(version ?? 'unknown')}-${timeInName(at)}.${end}`);
}

/** `20260102T030405Z` */
export function timeInName(at: Date): string {
  return at.toISOString().replace(/[-:]/g, '').replace(/\.\d+/, '');
}

/** Bytes that a backup needs at most, with the reserve: at worst nothing compresses, and each file costs a header. */
export function backupBytesAtMost(treeBytes: number, reserveMiB: number): number {
  return Math.ceil(treeBytes * 1.02) + reserveMiB * 1024 * 1024;
}

/** A version comes from a bundle: no part of it may act as a path. */
function safe(version: string): string {
  return version.replace(/[^\w.+-]/g, '_').slice(0, 64);
}
