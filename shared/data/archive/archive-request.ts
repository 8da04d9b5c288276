import { realpathSync, statSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { Failure, reasonOf } from '../../system/failure.ts';

export interface ArchiveRequest {
  /** The folder itself, links resolved. */
  folder: string;
  target: string;
  rootName: string;
}

/** Checks a request before anything is written. Throws a Failure for one that could only become a bad backup. */
export function readRequest(given: { folder: string; target: string; rootName?: string }): ArchiveRequest {
  const folder = findFolder(given.folder);
  const target = resolve(given.target);
  const rootName = given.rootName ?? basename(resolve(given.folder));
  if (['', '.', '..'].includes(rootName) || rootName.includes('/'))
    throw refusal(given.folder, `"${rootName}" cannot be its name in the archive`);
  if (`${realFolderOf(target)}/`.startsWith(folder === '/' ? folder : `${folder}/`))
    throw refusal(given.folder, `the archive "${target}" would lie inside it`);
  if (statSync(target, { throwIfNoEntry: false })?.isDirectory())
    throw refusal(given.folder, `"${target}" is a folder, not an archive`);
  return { folder, target, rootName };
}

function findFolder(folder: string): string {
  try {
    if (statSync(folder).isDirectory()) return realpathSync(folder);
  } catch (error) {
    throw refusal(folder, reasonOf(error), error);
  }
  throw refusal(folder, 'it is not a folder');
}

function realFolderOf(target: string): string {
  try {
    return realpathSync(dirname(target));
  } catch (error) {
    throw new Failure(`Cannot write the backup "${target}": ${reasonOf(error)}`, { cause: error });
  }
}

function refusal(folder: string, reason: string, cause?: unknown): Failure {
  return new Failure(`Cannot back up "${folder}": ${reason}`, { cause });
}
