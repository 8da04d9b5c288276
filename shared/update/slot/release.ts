import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isMissing, reasonOf } from '../../system/failure.ts';

/**
 * The file in a slot that names its version. post-install writes it: RAUC does not know the version of a slot it never
 * installed, and a hook must not ask RAUC.
 */
export const releasePath = 'usr/lib/homie/release';

export function releaseText(version: string): string {
  return `VERSION=${version}\n`;
}

/** The version of the system below the root; undefined where no update of ours ever wrote it. */
export function readRelease(root: string): string | undefined {
  try {
    return /^VERSION=(\S+)$/m.exec(readFileSync(join(root, releasePath), 'utf8'))?.[1];
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** For a boot, which must not fail because of a file: one that cannot be read is reported by `tell`. */
export function releaseForRecovery(root: string, tell: (line: string) => void): string | undefined {
  try {
    return readRelease(root);
  } catch (error) {
    tell(`Cannot read the version of this slot from "${join(root, releasePath)}": ${reasonOf(error)}`);
    return undefined;
  }
}
