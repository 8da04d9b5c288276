import type { Transaction } from '../transaction/transaction.ts';

interface Running {
  booted: string | undefined;
  runningVersion: string | undefined;
  raucVersion?: string | undefined;
}

/**
 * Why the booted slot is not what the update has installed; undefined where it is, or where that is unknown. The release
 * file of the running system decides; what RAUC noted about the slot counts only where there is none: a good update of an
 * image that names no version must not be rolled back.
 */
export function otherVersion(
  { to }: Transaction,
  { booted, runningVersion, raucVersion }: Running,
): string | undefined {
  const runs = runningVersion ?? raucVersion;
  if (runs === undefined || to.version === null || runs === to.version) return undefined;
  return `slot "${booted ?? to.slot ?? 'booted'}" runs version "${runs}" where "${to.version}" was installed`;
}
