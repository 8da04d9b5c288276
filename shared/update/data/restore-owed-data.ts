import type { Config } from '../../config/config.ts';
import { Failure } from '../../system/failure.ts';
import { faultPoint } from '../../system/fault-point.ts';
import type { Places } from '../../system/places.ts';
import type { Running } from '../../system/process/program.ts';
import { needsRestore } from '../transaction/transaction.ts';
import type { TransactionWriter } from '../transaction/transaction-writer.ts';
import { restoreFromDump } from './data-steps.ts';
import { findStack } from './stack.ts';

/** Restores the data if an update changed it and its version never proved healthy. Throws when it cannot restore. */
export async function restoreOwedData(
  record: TransactionWriter,
  { places, config, running }: { places: Places; config: Config; running: Running },
): Promise<void> {
  if (!needsRestore(record.transaction)) return;
  const stack = await findStack(places.root, places.data, config, running.signal);
  if (stack === undefined)
    throw new Failure(`Cannot restore the data: there is no "${config.update.composeFile}" in this slot`);
  await faultPoint('debt:found');
  await restoreFromDump({ record, stack, config, running });
  await faultPoint('debt:paid');
}
