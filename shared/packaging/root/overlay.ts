import {
  chmodSync,
  chownSync,
  copyFileSync,
  lchownSync,
  lstatSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { Failure, reasonOf } from '../../system/failure.ts';
import { makeFolder } from '../../system/files/durable-file.ts';
import { pathInRoot } from '../../system/files/rooted-path.ts';

/** Names in a source folder that are not copied to a device. */
const leftOut = new Set(['.git', '__pycache__', '.venv', 'node_modules', '.DS_Store']);

/**
 * Copies the folder's content over the tree, owned by root: folders and programs have mode 755, other files 644, links stay
 * links. Links in the tree are followed as the tree's own system would follow them. Throws a Failure.
 */
export function layOver(tree: string, folder: string, at = '/'): void {
  try {
    layFolder(tree, folder, at);
  } catch (error) {
    throw new Failure(`Cannot put "${folder}" into the root file system: ${reasonOf(error)}`, {
      cause: error,
    });
  }
}

function layFolder(tree: string, folder: string, at: string): void {
  const place = pathInRoot(tree, at);
  makeFolder(place);
  for (const name of readdirSync(folder).sort()) {
    if (leftOut.has(name)) continue;
    const source = join(folder, name);
    const stat = lstatSync(source);
    if (stat.isDirectory()) layFolder(tree, source, join(at, name));
    else if (stat.isSymbolicLink()) layLink(source, join(place, name));
    else if (stat.isFile()) layFile(source, join(place, name), (stat.mode & 0o100) === 0 ? 0o644 : 0o755);
  }
}

function layLink(source: string, place: string): void {
  rmSync(place, { force: true });
  symlinkSync(readlinkSync(source), place);
  lchownSync(place, 0, 0);
}

/** The file itself is replaced, not what a link of that name points to. */
function layFile(source: string, place: string, mode: number): void {
  rmSync(place, { force: true });
  copyFileSync(source, place);
  chownSync(place, 0, 0);
  chmodSync(place, mode);
}

/** Writes a text file with mode 644 into the tree, owned by root. */
export async function writeInTree(tree: string, path: string, text: string): Promise<void> {
  const place = join(pathInRoot(tree, dirname(path)), path.slice(path.lastIndexOf('/') + 1));
  makeFolder(dirname(place));
  rmSync(place, { force: true });
  await Bun.write(place, text);
  chmodSync(place, 0o644);
}
