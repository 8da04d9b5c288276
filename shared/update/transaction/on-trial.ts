import { isMigratedByInstall, lastStep, type Transaction } from './transaction.ts';

/**
 * Whether the running system is an update that has no verdict yet, and so the other slot its fallback: told without
 * RAUC, for hooks. In a slot that another updater filled nobody closes a transaction, and nothing is on trial there.
 */
export function isOnTrial(
  transaction: Transaction | undefined,
  facts: { bootId: string; runningVersion: string | undefined },
): boolean {
  if (transaction === undefined || transaction.isClosed || !isOfVersion(transaction, facts)) return false;
  const { state, bootId } = lastStep(transaction);
  if (state === 'installed') return bootId !== facts.bootId;
  if (state === 'migrated' && isMigratedByInstall(transaction)) return false;
  return ['trial', 'migrated', 'rolled-back', 'fallen-back'].includes(state);
}

/** Whether what runs is the version that the update is for. */
export function isOfVersion({ to }: Transaction, facts: { runningVersion: string | undefined }): boolean {
  return facts.runningVersion !== undefined && facts.runningVersion === to.version;
}
