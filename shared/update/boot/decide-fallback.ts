import { otherSlot, type Slots } from '../../rauc/status.ts';
import type { AdmissionNote } from '../transaction/admission-note.ts';
import { stateOf, type Transaction } from '../transaction/transaction.ts';

export type FallbackPlan =
  /** The fallback is in the boot order, or it is too early to ask: an update waits for its reboot. */
  | { kind: 'none' }
  /** Nothing was written into the slot: it may return to the boot order. */
  | { kind: 'put-back'; slot: string; reason: string }
  | { kind: 'leave'; slot: string; reason: string };

/**
 * Whether the other slot may be put back into the boot order. RAUC takes it out before it calls the first hook: an install that
 * fails there leaves the device without a fallback, though the content of the slot is whole. `updates` are all updates of this
 * device, oldest first; `admitted` is what install-check admitted in an earlier boot.
 */
export function decideFallback(
  updates: readonly Transaction[],
  slots: Slots,
  admitted?: Pick<AdmissionNote, 'version' | 'after'>,
): FallbackPlan {
  const other = otherSlot(slots);
  if (slots.booted === undefined || slots.primary !== slots.booted) return { kind: 'none' };
  if (other === undefined || other.bootStatus !== 'bad') return { kind: 'none' };
  const slot = other.name;
  const leave = (reason: string): FallbackPlan => ({ kind: 'leave', slot, reason });

  // Hooks that ran by hand noted no slot: their updates may have used this one.
  const into = updates.filter(({ to }) => to.slot === slot || to.slot === null);
  const last = into.at(-1);
  const cutShort = admitted?.after === (updates.at(-1)?.id ?? null) ? admitted : undefined;
  if (cutShort === undefined) {
    if (last === undefined || last.to.slot === null) return leave('no recorded update took it out');
    if (hasWritten(last)) return leave(`${versionOf(last)} was written into it, and is "${stateOf(last)}"`);
  }
  const writer = into.findLast(hasWritten);
  if (writer !== undefined && stateOf(writer) !== 'committed')
    return leave(`it holds ${versionOf(writer)}, which is "${stateOf(writer)}"`);
  const failed = named(cutShort?.version ?? last?.to.version);
  return { kind: 'put-back', slot, reason: `${failed} failed before anything was written into it` };
}

const beforeWriting: readonly string[] = ['preparing', 'failed', 'rolled-back'];

/** Whether RAUC began, or may have begun, to write the image, as in an unknown state of a later version. */
function hasWritten({ steps }: Transaction): boolean {
  return steps.some(({ state }) => !beforeWriting.includes(state));
}

function versionOf({ to }: Transaction): string {
  return named(to.version);
}

function named(version: string | null | undefined): string {
  return `version "${version ?? 'unknown'}"`;
}
