import type { Config } from '../../config/config.ts';
import type { Running } from '../../system/process/program.ts';
import type { TransactionWriter } from '../transaction/transaction-writer.ts';
import type { Stack } from './stack.ts';

/** The input of the data steps: the stack whose data it is, and the record in which each step is noted. */
export interface DataWork {
  record: TransactionWriter;
  stack: Stack;
  config: Config;
  running: Running;
}
