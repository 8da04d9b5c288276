import { isMigratedByInstall, lastStep, stateOf, type Transaction } from './transaction.ts';

/**
 * Whether the running system is an update that has no verdict yet, so that the other slot is its fallback. Does not ask
 * RAUC, so hooks can use it. In a slot that another updater filled, no program closes a transaction: nothing is on trial.
 */
export function isOnTrial(
  transaction: Transaction | undefined,
  facts: { bootId: string; runningVersion: string | undefined },
): boolean {
  if (transaction === undefined || transaction.isClosed || !isOfVersion(transaction, facts)) return false;
  const { bootId } = lastStep(transaction);
  const state = stateOf(transaction);
  if (state === 'installed') return bootId !== facts.bootId;
  if (state === 'migrated' && isMigratedByInstall(transaction)) return false;
  return ['trial', 'migrated', 'rolled-back', 'fallen-back'].includes(state);
}

/** Whether the running version is the one that the update installs. */
export function isOfVersion({ to }: Transaction, facts: { runningVersion: string | undefined }): boolean {
  return facts.runningVersion !== undefined && facts.runningVersion === to.version;
}
