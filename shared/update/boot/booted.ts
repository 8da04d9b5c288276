import type { Config } from '../../config/config.ts';
import type { Slots } from '../../rauc/status.ts';
import type { Places } from '../../system/places.ts';
import type { Running } from '../../system/process/program.ts';
import type { Transaction } from '../transaction/transaction.ts';

/** The system that has just come up, for whoever decides about it. */
export interface Boot {
  places: Places;
  config: Config;
  transaction: Transaction | undefined;
  slots: Slots | undefined;
  running: Running;
  /** Lets others at the slots and the data, while nothing is done but waiting. */
  unlock?: () => Promise<void>;
}
