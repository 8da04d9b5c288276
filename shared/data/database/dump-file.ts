import { closeSync, fsyncSync, openSync, rmSync, statSync } from 'node:fs';
import { checksumFileOf, hashFile, publish } from '../../system/files/checksum.ts';

/** A file that another program fills: `<target>.part`, then `<target>.sha256`, then the target itself. */

export interface SavedFile {
  path: string;
  sha256: string;
  bytes: number;
}

function partOf(target: string): string {
  return `${target}.part`;
}

/** Empty, and readable for its owner only: it will hold all data of the stack. */
export function beginPart(target: string): string {
  const part = partOf(target);
  rmSync(part, { force: true });
  closeSync(openSync(part, 'wx', 0o600));
  return part;
}

/**
 * Makes the file visible; its checksum comes first, so that a visible file has one even after a power cut. An older
 * file of that name is removed.
 */
export async function commitPart(target: string, signal?: AbortSignal): Promise<SavedFile> {
  const part = partOf(target);
  const descriptor = openSync(part, 'r+');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  const sha256 = await hashFile(part, signal);
  const { size: bytes } = statSync(part);
  publish(part, target, sha256);
  return { path: target, sha256, bytes };
}

/** A checksum without its file is useless: it is removed too, unless an older file of that name still exists. */
export function discardPart(target: string): void {
  rmSync(partOf(target), { force: true });
  if (statSync(target, { throwIfNoEntry: false }) === undefined)
    rmSync(checksumFileOf(target), { force: true });
}
