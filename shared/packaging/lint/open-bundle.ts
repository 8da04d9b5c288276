import { statSync } from 'node:fs';
import { Failure, isMissing, reasonOf } from '../../system/failure.ts';
import type { BundleContent } from './bundle-content.ts';
import { openFolder } from './folder-content.ts';
import { openPackedBundle } from './packed-content.ts';

/** Opens a folder or a `.raucb` file. Throws a Failure where it is neither. */
export async function openBundle(path: string): Promise<BundleContent> {
  let isFolder: boolean;
  let isFile: boolean;
  try {
    const found = statSync(path);
    isFolder = found.isDirectory();
    isFile = found.isFile();
  } catch (error) {
    throw new Failure(`Cannot lint the bundle "${path}": ${reasonOf(error)}`, {
      outcome: isMissing(error) ? 'usage' : 'failed',
      advice: 'Give the folder that is to be packed, or a .raucb file',
      cause: error,
    });
  }
  if (isFolder) return openFolder(path);
  if (isFile) return openPackedBundle(path);
  throw new Failure(`Cannot lint the bundle "${path}": it is neither a folder nor a file`, {
    outcome: 'usage',
  });
}
