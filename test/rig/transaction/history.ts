import type { Transaction } from '../../../shared/update/transaction/transaction.ts';
import { readHistory } from '../../../shared/update/transaction/transaction-store.ts';
import type { Stage } from './stage.ts';

export function historyOf({ device }: Stage): Transaction[] {
  return readHistory({ data: device.dataFolder, root: '', run: '' });
}
