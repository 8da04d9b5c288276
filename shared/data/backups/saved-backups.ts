import { lstatSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { Failure, isMissing, reasonOf } from '../../system/failure.ts';

/** What a backup holds; the end of its name says which. */
export type SavedKind = 'config' | 'database' | 'redis';

export interface SavedBackup {
  path: string;
  kind: SavedKind;
  /** Why it was taken. */
  occasion: 'pre-update' | 'pre-migrate' | 'manual';
  /** The version whose data it holds. */
  from: string;
  /** The version that it was taken for; undefined for a manual backup. */
  to: string | undefined;
  /** By the board's clock, which may have been wrong. */
  at: Date;
  bytes: number;
}

const kinds: readonly [end: string, SavedKind][] = [
  ['.tar.zst', 'config'],
  ['.dump', 'database'],
  ['.rdb', 'redis'],
];

/** Undefined for a file that cannot be restored from. */
export function kindOfBackup(path: string): SavedKind | undefined {
  return kinds.find(([end]) => path.endsWith(end))?.[1];
}

/** Our backups in the folder, newest first. */
export function findBackups(folder: string): SavedBackup[] {
  return namesIn(folder)
    .flatMap((name) => readBackup(join(folder, name)) ?? [])
    .sort((one, other) => other.at.getTime() - one.at.getTime() || (one.path < other.path ? -1 : 1));
}

const backupName = /^(pre-update|pre-migrate|manual)-(.+)-(\d{8}T\d{6}Z)\.(?:tar\.zst|dump|rdb)$/;
/** A version may contain hyphens: the second version begins at a number with two points, or at `unknown`. */
const twoVersions = /^(.+?)-(unknown|\d+\.\d+\.\d+.*)$/;

function readBackup(path: string): SavedBackup | undefined {
  const [, occasion, versions = '', time = ''] = backupName.exec(basename(path)) ?? [];
  const kind = kindOfBackup(path);
  const stats = lstatSync(path, { throwIfNoEntry: false });
  const at = readTime(time);
  if (!isOccasion(occasion) || kind === undefined || at === undefined || !stats?.isFile()) return undefined;
  const [, from = versions, to] = occasion === 'manual' ? [] : (twoVersions.exec(versions) ?? []);
  return { path, kind, occasion, from, to, at, bytes: stats.size };
}

function isOccasion(text: string | undefined): text is SavedBackup['occasion'] {
  return text === 'pre-update' || text === 'pre-migrate' || text === 'manual';
}

/** Reads `20260102T030405Z`; undefined if that is no valid time. */
function readTime(text: string): Date | undefined {
  const at = new Date(text.replace(/^(....)(..)(..)T(..)(..)(..)Z$/, '$1-$2-$3T$4:$5:$6Z'));
  return Number.isNaN(at.getTime()) ? undefined : at;
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (isMissing(error)) return [];
    throw new Failure(`Cannot list the backups in "${folder}": ${reasonOf(error)}`, { cause: error });
  }
}
