import { Failure } from '../../system/failure.ts';
import { faultPoint } from '../../system/fault-point.ts';
import type { Device } from '../transaction/device.ts';
import { needsRestore } from '../transaction/transaction.ts';
import type { TransactionWriter } from '../transaction/transaction-writer.ts';
import { restoreFromDump } from './data-steps.ts';
import { findStack } from './stack.ts';

/** Restores the data if an update changed it and its version never proved healthy. Throws when it cannot restore. */
export async function restoreOwedData(record: TransactionWriter, device: Device): Promise<void> {
  if (!needsRestore(record.transaction)) return;
  const { places, config, signal } = device;
  const stack = await findStack(places.root, places.data, config, signal);
  if (stack === undefined)
    throw new Failure(`Cannot restore the data: there is no "${config.update.composeFile}" in this slot`);
  await faultPoint('debt:found');
  await restoreFromDump(record, stack, device);
  await faultPoint('debt:paid');
}
