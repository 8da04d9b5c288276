import type { Config } from '../../config/config.ts';
import type { Running } from '../../system/process/program.ts';
import type { UpdateRecord } from '../transaction/record.ts';
import type { Stack } from './stack.ts';

/** What the data's part of the transaction needs: whose data it is, and where each step is noted. */
export interface DataWork {
  record: UpdateRecord;
  stack: Stack;
  config: Config;
  running: Running;
}
