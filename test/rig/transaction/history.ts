import { readHistory } from '../../../shared/update/journal.ts';
import type { Transaction } from '../../../shared/update/transaction.ts';
import type { Stage } from './stage.ts';

export function historyOf({ device }: Stage): Transaction[] {
  return readHistory({ data: device.dataFolder, root: '', run: '' });
}
