import { otherSlot, type Slot, type Slots } from '../../rauc/status.ts';
import { type State, stateOf, type Transaction } from '../transaction/transaction.ts';

export type RollbackPlan =
  /** The new slot was never booted: keep the running one, no reboot needed. */
  | { kind: 'cancel-pending'; slot: string }
  /** Boot the other slot next. A second request gives the same plan. */
  | { kind: 'switch'; slot: string }
  | { kind: 'refuse'; reason: string; advice: string };

/** Decides what `update.sh rollback` does: `mark-active other` is right only when the other slot holds the previous version. */
export function decideRollback(transaction: Transaction | undefined, slots: Slots): RollbackPlan {
  const { booted, primary } = slots;
  const other = otherSlot(slots);
  if (booted === undefined || other === undefined) {
    return { kind: 'refuse', reason: 'RAUC does not know which slot runs', advice: 'See "rauc status"' };
  }
  const state = transaction === undefined ? undefined : stateOf(transaction);
  const stateOfBooted = transaction?.to.slot === booted.name ? state : undefined;
  const stateOfOther = transaction?.to.slot === other.name ? state : undefined;
  const isOpen = transaction?.isClosed === false;

  const isWaiting = isOpen && (stateOfOther === 'installed' || stateOfOther === 'migrated');
  if (isWaiting || (primary?.name === other.name && !isLeaving(stateOfBooted)))
    return booted.bootStatus === 'unknown'
      ? unreadable(booted)
      : { kind: 'cancel-pending', slot: booted.name };
  if (stateOfOther === 'rolled-back' || stateOfOther === 'fallen-back') {
    const reason = `slot "${other.name}" holds version "${transaction?.to.version ?? 'unknown'}", which was rejected here`;
    return {
      kind: 'refuse',
      reason,
      advice: 'The version before it runs already; "rauc status mark-active other" switches to it anyway',
    };
  }
  if (other.bootStatus === 'unknown') return unreadable(other);
  if (other.bootStatus === undefined) {
    const reason = `slot "${other.name}" has no bootname: the bootloader does not know it`;
    return { kind: 'refuse', reason, advice: 'Give it one in system.conf' };
  }
  if (other.bootStatus === 'bad') {
    const reason = `slot "${other.name}" is marked bad: an install into it did not finish, or it used up its attempts`;
    return { kind: 'refuse', reason, advice: 'Install a bundle instead; it goes into that slot' };
  }
  if (isOpen && state === 'installing') {
    return { kind: 'refuse', reason: 'an install is under way', advice: 'Wait until it has ended' };
  }
  return { kind: 'switch', slot: other.name };
}

/** RAUC could not mark a slot active either, and the data would be restored for nothing. */
function unreadable({ name }: Slot): RollbackPlan {
  return {
    kind: 'refuse',
    reason: `the boot status of slot "${name}" is unknown: RAUC cannot read it from the bootloader's environment`,
    advice: 'See "update.sh doctor" and "fw_printenv"; try again once they can read it',
  };
}

/**
 * Whether the other slot is primary because the update in the booted slot was abandoned, not because an update waits in the
 * other slot.
 */
function isLeaving(stateOfBooted: State | undefined): boolean {
  return stateOfBooted === 'trial' || stateOfBooted === 'migrated' || stateOfBooted === 'rolled-back';
}
