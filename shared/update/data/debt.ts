import type { Config } from '../../config/config.ts';
import { Failure } from '../../system/failure.ts';
import { faultPoint } from '../../system/fault-point.ts';
import type { Places } from '../../system/places.ts';
import type { Running } from '../../system/process/program.ts';
import type { UpdateRecord } from '../transaction/record.ts';
import { owesRestore } from '../transaction/transaction.ts';
import { giveDataBack } from './data-steps.ts';
import { findStack } from './stack.ts';

/** Restores the data if an update changed it and its version never proved healthy. Throws when it cannot restore. */
export async function payDebt(
  record: UpdateRecord,
  { places, config, running }: { places: Places; config: Config; running: Running },
): Promise<void> {
  if (!owesRestore(record.transaction)) return;
  const stack = await findStack(places.root, places.data, config, running.signal);
  if (stack === undefined)
    throw new Failure(`Cannot restore the data: there is no "${config.update.composeFile}" in this slot`);
  await faultPoint('debt:found');
  await giveDataBack({ record, stack, config, running });
  await faultPoint('debt:paid');
}
