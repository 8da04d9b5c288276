import { lstatSync, readdirSync, readlinkSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { Failure, reasonOf } from '../../system/failure.ts';
import { readHead } from '../format/file-head.ts';
import { type BundleContent, mostEntries } from './bundle-content.ts';
import type { BundleEntry } from './bundle-entry.ts';

/** Opens the folder of a bundle that is not packed yet. Throws a Failure. */
export function openFolder(path: string): BundleContent {
  const entries = new Map<string, BundleEntry>();
  try {
    addEntries(entries, path, '');
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Failure(`Cannot read the folder "${path}": ${reasonOf(error)}`, { cause: error });
  }
  return {
    name: basename(resolve(path)),
    entries,
    fetch: async () => {},
    localPath: (inside) => join(path, inside),
    head: async (inside, bytes) => readHead(join(path, inside), bytes),
    [Symbol.asyncDispose]: async () => {},
  };
}

function addEntries(entries: Map<string, BundleEntry>, folder: string, inside: string): void {
  for (const name of readdirSync(join(folder, inside)).sort()) {
    const path = inside === '' ? name : `${inside}/${name}`;
    if (entries.size >= mostEntries) {
      throw new Failure(`Cannot lint the folder "${folder}": it holds more than ${mostEntries} files`, {
        outcome: 'usage',
        advice: 'Give the folder that is to be packed',
      });
    }
    const entry = readEntry(folder, path);
    entries.set(path, entry);
    if (entry.kind === 'folder') addEntries(entries, folder, path);
  }
}

function readEntry(folder: string, path: string): BundleEntry {
  const found = lstatSync(join(folder, path));
  const entry = { path, bytes: found.size, mode: found.mode & 0o7777 };
  if (found.isFile()) return { ...entry, kind: 'file', identity: `${found.dev}:${found.ino}` };
  if (found.isDirectory()) return { ...entry, kind: 'folder' };
  if (found.isSymbolicLink()) return { ...entry, kind: 'link', target: readlinkSync(join(folder, path)) };
  return { ...entry, kind: 'special' };
}
