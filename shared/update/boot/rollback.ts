import { markActive } from '../../rauc/mark.ts';
import { reboot } from '../../stack/unit.ts';
import type { Outcome } from '../../system/exit-code.ts';
import { Failure, reasonOf } from '../../system/failure.ts';
import { faultPoint } from '../../system/fault-point.ts';
import { restoreOwedData } from '../data/restore-owed-data.ts';
import type { Device } from '../transaction/device.ts';
import { holdNow } from '../transaction/hold.ts';
import { isVerdict, stateOf } from '../transaction/transaction.ts';
import type { TransactionWriter } from '../transaction/transaction-writer.ts';
import { keepStackLogs } from './stack-logs.ts';

/**
 * Returns slot and data together to the previous version and reboots; always throws. The verdict is written first: if a later
 * step fails, the next run carries it out, in this slot or in the previous one. Only the previous slot closes the update.
 */
export async function rollBack(record: TransactionWriter, reason: string, device: Device): Promise<Outcome> {
  const { places, log, signal } = device;
  log.error(`Rolling back: ${reason}`);
  if (!isVerdict(stateOf(record.transaction))) {
    await tryTo('write the verdict down', device, () => record.advance('rolled-back', reason));
    await keepStackLogs(record, device);
  }
  await faultPoint('rollback:noted');
  await tryTo('hold the orchestrator', device, () => holdNow(places));
  await tryTo('restore the data', device, () => restoreOwedData(record, device));
  await tryTo('mark the other slot active', device, () =>
    log.step('Marking', 'Marked', 'the other slot active', () => markActive('other', signal)),
  );
  await faultPoint('rollback:switched');
  await reboot();
  throw new Failure(`Cannot commit the update: ${reason}; rebooting into the version before it`, {
    outcome: 'rolledBack',
  });
}

/**
 * Logs a failed step and continues: after the reboot the previous slot restores the data. If this slot could not be left, the
 * bootloader falls back in the end.
 */
async function tryTo(what: string, { log, signal }: Device, work: () => Promise<void> | void): Promise<void> {
  try {
    await work();
  } catch (error) {
    signal.throwIfAborted();
    log.error(`Cannot ${what} yet: ${reasonOf(error)}`);
  }
}
