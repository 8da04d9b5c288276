import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Failure, isMissing, reasonOf } from '../../system/failure.ts';

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
  const path = join(root, releasePath);
  try {
    return /^VERSION=(\S+)$/m.exec(readFileSync(path, 'utf8'))?.[1];
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw new Failure(`Cannot read "${path}": ${reasonOf(error)}`, { cause: error });
  }
}

/** For a boot, which must not fail because of a file: one that cannot be read is reported by `tell`. */
export function releaseForRecovery(root: string, tell: (line: string) => void): string | undefined {
  try {
    return readRelease(root);
  } catch (error) {
    tell(`${reasonOf(error)}; the version of this slot is unknown`);
    return undefined;
  }
}
