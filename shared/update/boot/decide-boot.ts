import { isOfVersion } from '../transaction/on-trial.ts';
import { isMigratedByInstall, lastStep, stateOf, type Transaction } from '../transaction/transaction.ts';

/** What RAUC and the kernel say of this boot. */
export interface BootFacts {
  bootId: string;
  /** The booted slot's name; undefined where RAUC does not answer. */
  booted: string | undefined;
  /** What the booted slot holds. */
  runningVersion: string | undefined;
  /** Whether the slot that does not run has used up its attempts, or is out of the boot order. */
  isOtherSpent?: boolean;
}

export type BootPlan =
  /** Nothing is open: mark the slot good once it is healthy. */
  | { kind: 'normal' }
  /** The new slot's boot: commit when healthy, else roll back. */
  | { kind: 'trial' }
  /** An install is done and waits for its reboot: nothing to do yet. */
  | { kind: 'pending' }
  /** The bootloader gave the new slot up: close the transaction, keep this slot the primary one. */
  | { kind: 'fallback' }
  /** An install never finished: close the transaction, then as in a normal boot. */
  | { kind: 'unfinished' }
  /** The update is given up and the version before it runs: keep this slot the primary one, pay what is owed. */
  | { kind: 'stay' }
  /** The rollback was decided, but power failed before it was carried out. */
  | { kind: 'finish-rollback'; reason: string }
  /** The version before it used its attempts up, and the bootloader came back to the one that was given up. */
  | { kind: 'go-back'; reason: string }
  /** A trial whose RAUC does not answer can neither be committed nor rolled back: the attempts have to run out. */
  | { kind: 'abandon-trial' }
  /** Nobody can tell which slot runs, but it is no trial: mark nothing, let the orchestrator run. */
  | { kind: 'unknown' };

/** One row a situation; see the table in its test. */
export function decideBoot(transaction: Transaction | undefined, facts: BootFacts): BootPlan {
  if (transaction === undefined || transaction.isClosed) {
    if (facts.booted === undefined) return { kind: 'unknown' };
    return mayGoBack(transaction, facts) ? { kind: 'go-back', reason: cameBack } : { kind: 'normal' };
  }
  const { state, bootId, reason } = lastStep(transaction);
  const isSameBoot = bootId === facts.bootId;
  switch (state) {
    case 'committed':
    case 'failed':
      return facts.booted === undefined ? { kind: 'unknown' } : { kind: 'normal' };
    case 'preparing':
    case 'installing':
      return bootOfInstalling(transaction, facts);
    case 'installed':
      if (isSameBoot) return { kind: 'pending' };
      return bootOfInstalled(transaction, facts);
    case 'trial':
      return bootOfInstalled(transaction, facts);
    case 'migrated':
      return isMigratedByInstall(transaction)
        ? bootOfInstalling(transaction, facts)
        : bootOfInstalled(transaction, facts);
    case 'rolled-back':
    case 'fallen-back':
      if (isTarget(transaction, facts))
        return { kind: 'finish-rollback', reason: reason ?? 'it was given up' };
      return { kind: facts.booted === undefined ? 'unknown' : 'stay' };
  }
}

const cameBack = 'the bootloader came back to it, the version before it had no attempts left';
/** A slot that is really broken is not tried for ever. */
const mostReturns = 2;

/**
 * Power cuts use attempts up as much as a broken slot does: the version before is given its own again. Where somebody
 * has made this slot the active one by hand, the other has attempts left, and this one stays.
 */
function mayGoBack(transaction: Transaction | undefined, facts: BootFacts): boolean {
  if (transaction === undefined || facts.isOtherSpent !== true || !isTarget(transaction, facts)) return false;
  const returns = transaction.steps.filter(({ reason }) => reason === cameBack).length;
  return ['rolled-back', 'fallen-back'].includes(stateOf(transaction)) && returns < mostReturns;
}

function bootOfInstalling(transaction: Transaction, facts: BootFacts): BootPlan {
  if (lastStep(transaction).bootId === facts.bootId) return { kind: 'pending' };
  if (facts.booted === undefined) return { kind: 'unknown' };
  // RAUC activates a slot only when all is written: the step after it is what is missing.
  return { kind: facts.booted === transaction.to.slot ? 'trial' : 'unfinished' };
}

function bootOfInstalled(transaction: Transaction, facts: BootFacts): BootPlan {
  if (facts.booted !== undefined) return { kind: isTarget(transaction, facts) ? 'trial' : 'fallback' };
  return { kind: isOfVersion(transaction, facts) ? 'abandon-trial' : 'unknown' };
}

/** Whether the new slot runs. Where RAUC does not answer, or hooks run by hand noted no slot, the version tells. */
function isTarget(transaction: Transaction, facts: BootFacts): boolean {
  return transaction.to.slot === null || facts.booted === undefined
    ? isOfVersion(transaction, facts)
    : facts.booted === transaction.to.slot;
}
