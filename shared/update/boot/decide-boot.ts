import type { UpdateConfig } from '../../config/config.ts';
import { isOfVersion } from '../transaction/on-trial.ts';
import { isMigratedByInstall, lastStep, stateOf, type Transaction } from '../transaction/transaction.ts';
import { otherVersion } from './other-version.ts';

/** The facts about this boot, from RAUC and the kernel. */
export interface BootFacts {
  bootId: string;
  /** The booted slot's name; undefined where RAUC does not answer. */
  booted: string | undefined;
  /** The version in the booted slot. */
  runningVersion: string | undefined;
  /** The version that RAUC has noted for the booted slot. */
  raucVersion?: string | undefined;
  /** Whether the other slot has no attempts left, or is out of the boot order. */
  isOtherSpent?: boolean;
}

export type BootPlan =
  /** No update waits for a verdict: mark the slot good once it is healthy. */
  | { kind: 'normal' }
  /** The new slot runs: commit when healthy, else roll back. */
  | { kind: 'trial' }
  /** The new slot runs, but holds another version than the one installed: roll back. */
  | { kind: 'reject'; reason: string }
  /** An install of this boot is under way, or waits for its reboot: nothing to do yet. */
  | { kind: 'pending' }
  /** The bootloader abandoned the new slot: close the transaction, keep this slot as the primary one. */
  | { kind: 'fallback' }
  /** An install was interrupted: close the transaction, then continue as in a normal boot. */
  | { kind: 'unfinished' }
  /** The update was abandoned and the previous version runs: keep this slot as the primary one, restore the data if owed. */
  | { kind: 'stay' }
  /** The rollback was decided, but power failed before it was carried out. */
  | { kind: 'finish-rollback'; reason: string }
  /** The previous version used up its attempts, and the bootloader booted the abandoned version again. */
  | { kind: 'go-back'; reason: string }
  /** In a trial RAUC does not answer, so no commit and no rollback is possible: reboot until the attempts run out. */
  | { kind: 'abandon-trial' }
  /** The running slot is unknown, but this is no trial: mark nothing, start the orchestrator. */
  | { kind: 'unknown' };

/** Chooses the plan for this boot. The table in the test of this file has one row for each situation. */
export function decideBoot(transaction: Transaction | undefined, facts: BootFacts): BootPlan {
  if (transaction === undefined || transaction.isClosed) {
    if (facts.booted === undefined) return { kind: 'unknown' };
    return mayGoBack(transaction, facts) ? { kind: 'go-back', reason: cameBack } : { kind: 'normal' };
  }
  const { bootId, reason } = lastStep(transaction);
  const isSameBoot = bootId === facts.bootId;
  switch (stateOf(transaction)) {
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
        return { kind: 'finish-rollback', reason: reason ?? 'it was rejected' };
      return { kind: facts.booted === undefined ? 'unknown' : 'stay' };
  }
}

const cameBack = 'the bootloader started it again, because the version before it had no attempts left';
/** A slot that is really broken must not be tried forever. */
const mostReturns = 2;

/**
 * Whether to return to the previous version. Power cuts use up attempts as a broken slot does, so the previous version gets its
 * attempts back. If an operator made this slot active by hand, the other slot has attempts left, and this slot stays.
 */
function mayGoBack(transaction: Transaction | undefined, facts: BootFacts): boolean {
  if (transaction === undefined || facts.isOtherSpent !== true || !isTarget(transaction, facts)) return false;
  const returns = transaction.steps.filter(({ reason }) => reason === cameBack).length;
  return ['rolled-back', 'fallen-back'].includes(stateOf(transaction)) && returns < mostReturns;
}

function bootOfInstalling(transaction: Transaction, facts: BootFacts): BootPlan {
  if (lastStep(transaction).bootId === facts.bootId) return { kind: 'pending' };
  if (facts.booted === undefined) return { kind: 'unknown' };
  // RAUC activates a slot only after the whole image is written: only the step that notes it is missing.
  return facts.booted === transaction.to.slot ? trialOf(transaction, facts) : { kind: 'unfinished' };
}

function bootOfInstalled(transaction: Transaction, facts: BootFacts): BootPlan {
  if (facts.booted !== undefined)
    return isTarget(transaction, facts) ? trialOf(transaction, facts) : { kind: 'fallback' };
  return { kind: isOfVersion(transaction, facts) ? 'abandon-trial' : 'unknown' };
}

function trialOf(transaction: Transaction, facts: BootFacts): BootPlan {
  const reason = otherVersion(transaction, facts);
  return reason === undefined ? { kind: 'trial' } : { kind: 'reject', reason };
}

/** Whether the new slot runs. The version decides when RAUC does not answer, or when hooks run by hand noted no slot. */
function isTarget(transaction: Transaction, facts: BootFacts): boolean {
  return transaction.to.slot === null || facts.booted === undefined
    ? isOfVersion(transaction, facts)
    : facts.booted === transaction.to.slot;
}

/** Time to ask RAUC, mark the slot and reboot, in addition to the wait for health. */
const raucMs = 180_000;
/** Time for a dump and a restore; each also has its own deadline. */
const dataMs = 4 * 60 * 60_000;

/**
 * How long a boot may take until its verdict, in milliseconds. The TimeoutStartSec of homie-post-activate.service is longer
 * than the longest time that a config can ask for: systemd's SIGTERM would look like a reboot that an operator wants.
 */
export function bootAllowanceMs(
  update: Pick<UpdateConfig, 'healthDeadlineSeconds' | 'settleSeconds' | 'migrationLongestSeconds'>,
): number {
  const { healthDeadlineSeconds, settleSeconds, migrationLongestSeconds } = update;
  return (healthDeadlineSeconds + settleSeconds + migrationLongestSeconds) * 1000 + dataMs + raucMs;
}
