import { lstatSync, readlinkSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { Failure, isMissing } from '../failure.ts';

const mostLinks = 40;

/**
 * Turns a path of another root into a path of ours, with its symbolic links resolved inside that root: an absolute
 * link in a mounted slot must not lead out of the slot into the running system. The path itself need not exist.
 */
export function pathInRoot(root: string, path: string): string {
  const pending = partsOf(path);
  let inside = '/';
  let links = 0;
  for (let part = pending.shift(); part !== undefined; part = pending.shift()) {
    const next = normalize(join('/', inside, part));
    const link = linkAt(join(root, next));
    if (link === undefined) {
      inside = next;
      continue;
    }
    links += 1;
    if (links > mostLinks) throw new Failure(`Cannot follow "${path}" in "${root}": too many symbolic links`);
    inside = link.startsWith('/') ? '/' : dirname(next);
    pending.unshift(...partsOf(link));
  }
  return join(root, inside);
}

function partsOf(path: string): string[] {
  return path.split('/').filter((part) => part !== '' && part !== '.');
}

function linkAt(path: string): string | undefined {
  try {
    return lstatSync(path).isSymbolicLink() ? readlinkSync(path) : undefined;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}
