import type { RaucRefusal } from '../../rauc/install.ts';
import { readSlots } from '../../rauc/status.ts';
import { reasonOf } from '../../system/failure.ts';
import type { Places } from '../../system/places.ts';
import { mendFallback } from '../boot/put-fallback-back.ts';
import { isVerdict, stateOf } from '../transaction/transaction.ts';
import { knownTransaction, readTransaction } from '../transaction/transaction-store.ts';
import { TransactionWriter } from '../transaction/transaction-writer.ts';
import type { LockedDevice } from '../transaction/update-lock.ts';

/** RAUC knows only that a hook failed: this is the reason that our hook noted in a transaction newer than `before`. */
export function reasonOfHook(places: Places, before: string | undefined): string | undefined {
  const transaction = knownTransaction(readTransaction(places));
  if (transaction === undefined || transaction.id === before) return undefined;
  return stateOf(transaction) === 'failed' ? transaction.steps.at(-1)?.reason : undefined;
}

/**
 * Closes the update after a failed install. RAUC calls no hook when it fails after one: without this the update would
 * stay "installing" until the next boot. RAUC may fail when the new slot is active already (its system handler after the
 * install): then the next boot tries that slot. Where RAUC failed before it wrote anything, the fallback slot is whole,
 * and is put back into the boot order.
 */
export async function tidyUpFailed(version: string, error: RaucRefusal, device: LockedDevice): Promise<void> {
  const { places, lock, log, signal } = device;
  const transaction = knownTransaction(readTransaction(places));
  if (transaction === undefined || transaction.to.version !== version) return;
  const isOver = transaction.isClosed || isVerdict(stateOf(transaction));
  if (isOver && stateOf(transaction) !== 'failed') return;
  try {
    const slots = await readSlots(signal);
    if (slots.booted === undefined || slots.primary !== slots.booted) return;
    if (!isOver) TransactionWriter.resume(lock, transaction).close('failed', error.raucReason);
    await mendFallback(slots, device);
  } catch (problem) {
    log.warn(`Cannot close the failed update, the next boot does: ${reasonOf(problem)}`);
  }
}
