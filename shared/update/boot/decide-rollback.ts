import { otherSlot, type Slots } from '../../rauc/status.ts';
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

  if (isOpen && (stateOfOther === 'installed' || stateOfOther === 'migrated'))
    return { kind: 'cancel-pending', slot: booted.name };
  if (primary?.name === other.name && !isLeaving(stateOfBooted))
    return { kind: 'cancel-pending', slot: booted.name };
  if (stateOfOther === 'rolled-back' || stateOfOther === 'fallen-back') {
    const reason = `slot "${other.name}" holds version "${transaction?.to.version ?? 'unknown'}", which was rejected here`;
    return {
      kind: 'refuse',
      reason,
      advice: 'The version before it runs already; "rauc status mark-active other" switches to it anyway',
    };
  }
  if (other.isGood !== true) {
    const reason = `slot "${other.name}" is marked bad: an install into it did not finish, or it used up its attempts`;
    return { kind: 'refuse', reason, advice: 'Install a bundle instead; it goes into that slot' };
  }
  if (isOpen && state === 'installing') {
    return { kind: 'refuse', reason: 'an install is under way', advice: 'Wait until it has ended' };
  }
  return { kind: 'switch', slot: other.name };
}

/**
 * Whether the other slot is primary because the update in the booted slot was abandoned, not because an update waits in the
 * other slot.
 */
function isLeaving(stateOfBooted: State | undefined): boolean {
  return stateOfBooted === 'trial' || stateOfBooted === 'migrated' || stateOfBooted === 'rolled-back';
}
