import { readFileSync } from 'node:fs';
import { isMissing } from '../../system/failure.ts';
import { pathInRoot } from '../../system/files/rooted-path.ts';

/** A text file of the running system; undefined when there is none. */
export function readTextIn(root: string, path: string): string | undefined {
  return readBytesIn(root, path)?.toString();
}

export function readBytesIn(root: string, path: string): Buffer | undefined {
  try {
    return readFileSync(pathInRoot(root, path));
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}
