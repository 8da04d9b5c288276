import { markActive } from '../../rauc/mark.ts';
import { isUnitActive, startUnit } from '../../stack/unit.ts';
import { restoreOwedData } from '../data/restore-owed-data.ts';
import type { Device } from '../transaction/device.ts';
import { dropHold, holdNow, isHeld } from '../transaction/hold.ts';
import { needsRestore } from '../transaction/transaction.ts';
import type { TransactionWriter } from '../transaction/transaction-writer.ts';

const restoreMs = 4 * 60 * 60_000;

/**
 * Cancels the installed update and keeps the running slot. The data of an update that has migrated before its reboot
 * (`migrate_in: post-install`) is restored first. If that is interrupted, the update is already noted as rolled back, and the
 * next boot resumes from there.
 */
export async function cancelPending(
  record: TransactionWriter | undefined,
  { slot, reason }: { slot: string; reason: string },
  device: Device,
): Promise<void> {
  const { places, config, log, signal } = device;
  const before = record?.transaction;
  const owes = before !== undefined && needsRestore(before);
  if (owes) device.allow(restoreMs);
  const wasHeld = isHeld(places);
  const isStopped = wasHeld || (owes && (await isUnitActive(config.update.unit, signal)));
  record?.advance('rolled-back', reason);
  if (owes) holdNow(places);
  try {
    if (record !== undefined) await restoreOwedData(record, device);
    await log.step('Marking', 'Marked', `slot "${slot}" active`, () => markActive('booted', signal));
  } catch (error) {
    // After the restore the step has to stay.
    const isRestored = owes && record !== undefined && !needsRestore(record.transaction);
    if (before !== undefined && !isRestored) record?.takeBackTo(before);
    throw error;
  }
  record?.finish();
  dropHold(places);
  const { unit } = config.update;
  if (isStopped) await log.step('Starting', 'Started', `"${unit}"`, () => startUnit(unit));
}
