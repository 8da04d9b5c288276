import { markActive } from '../../rauc/mark.ts';
import { otherSlot, readSlots, type Slots } from '../../rauc/status.ts';
import { reasonOf } from '../../system/failure.ts';
import type { Running } from '../../system/process/program.ts';
import { forgetAdmission, readAdmissionNote } from '../transaction/admission-note.ts';
import type { BareDevice } from '../transaction/device.ts';
import { allTransactions } from '../transaction/transaction-store.ts';
import { takeProgramLock } from '../transaction/update-lock.ts';
import { decideFallback, type FallbackPlan } from './decide-fallback.ts';

/** Puts a whole fallback slot back into the boot order after a failed install; warns when the slot must stay out. */
export async function mendFallback(slots: Slots, device: BareDevice): Promise<FallbackPlan> {
  const { places, log } = device;
  const plan = decideFallback(allTransactions(places), slots, readAdmissionNote(places));
  if (plan.kind === 'put-back') await putFallbackBack(slots, device);
  if (plan.kind === 'leave')
    log.warn(`Slot "${plan.slot}" is no fallback, and stays out of the boot order: ${plan.reason}`);
  return plan;
}

/** mendFallback for a boot that has proved healthy. Only warns on failure: the next boot tries again. */
export async function mendFallbackAtBoot(slots: Slots | undefined, device: BareDevice): Promise<void> {
  const { places, log, signal } = device;
  if (slots === undefined) return;
  const other = otherSlot(slots);
  if (other?.bootStatus === 'unknown') {
    // The note stays: the next boot that can read the status needs it.
    log.warn(`It is unknown whether slot "${other.name}" is a fallback: RAUC cannot read its boot status`);
    return;
  }
  const hasFallback = other?.bootStatus !== 'bad';
  if (hasFallback && readAdmissionNote(places) === undefined) return;
  try {
    takeProgramLock(device, 'post-activate');
    if (!hasFallback) await mendFallback(await readSlots(signal), device);
    // The note has served its purpose: a slot that is taken out of the boot order from now on is taken out on purpose.
    if (readAdmissionNote(places) !== undefined) forgetAdmission(places);
  } catch (error) {
    signal.throwIfAborted();
    log.warn(`Cannot put the fallback slot back: ${reasonOf(error)}`);
  }
}

/**
 * Only `mark-active` puts a slot back, and it also makes the slot primary: so the running slot is made primary again at once,
 * even after an error. If power fails between the two steps, the fallback boots, which is whole.
 */
export async function putFallbackBack(slots: Slots, { log, undo, signal }: Running): Promise<void> {
  const booted = slots.booted?.name ?? 'booted';
  await log.step('Putting', 'Put', `the fallback slot back into the boot order`, async () => {
    const stay = undo.owe(`make slot "${booted}" the primary one again`, () => markActive('booted'));
    try {
      await markActive('other', signal);
    } finally {
      await stay.now();
    }
  });
}
