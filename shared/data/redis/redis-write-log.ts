import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { removeDurably, writeDurably } from '../../system/files/durable-file.ts';

/**
 * Redis's log of its writes, "appendonly": if it exists, redis reads nothing else at the start. Up to redis 6 it is
 * one file, from 7 on a folder whose manifest names the files: https://redis.io/docs/management/persistence/
 */
export interface WriteLog {
  kind: 'file' | 'manifest';
  path: string;
}

/** Copies so that the name stands for the old file or the whole new one at every moment. */
export type PutInPlace = (from: string, to: string) => void;

const manifestEnd = '.manifest';

export function findWriteLogs(folder: string): WriteLog[] {
  if (!existsSync(folder)) return [];
  const manifests = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap(({ name }) => readdirSync(join(folder, name)).map((inner) => join(folder, name, inner)))
    .filter((path) => path.endsWith(manifestEnd))
    .map((path): WriteLog => ({ kind: 'manifest', path }));
  const file = join(folder, 'appendonly.aof');
  return existsSync(file) ? [...manifests, { kind: 'file', path: file }] : manifests;
}

/**
 * Restarts the log from the saved file: a log may begin with one, and then needs nothing else. Writing the manifest
 * makes the new log valid in one step.
 */
export function replaceWriteLog({ kind, path }: WriteLog, saved: string, put: PutInPlace): void {
  if (kind === 'file') {
    put(saved, path);
    return;
  }
  const folder = dirname(path);
  const name = basename(path, manifestEnd);
  const parts = readdirSync(folder).filter(
    (file) => file.startsWith(`${name}.`) && /\.(rdb|aof)$/.test(file),
  );
  const number =
    1 + Math.max(0, ...parts.map((file) => Number(file.slice(name.length + 1).split('.')[0]) || 0));
  const base = `${name}.${number}.base.rdb`;
  const { uid, gid, mode } = statSync(path);
  put(saved, join(folder, base));
  writeDurably(path, `file ${base} seq ${number} type b\n`, mode & 0o777, { uid, gid });
  for (const file of parts) removeDurably(join(folder, file));
}
