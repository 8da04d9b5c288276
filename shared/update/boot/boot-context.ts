import type { Config } from '../../config/config.ts';
import type { Slots } from '../../rauc/status.ts';
import type { Places } from '../../system/places.ts';
import type { Running } from '../../system/process/program.ts';
import type { Transaction } from '../transaction/transaction.ts';

/** The system that has just booted, as the functions that decide about it need it. */
export interface BootContext {
  places: Places;
  config: Config;
  transaction: Transaction | undefined;
  slots: Slots | undefined;
  running: Running;
  /** Releases the lock while the boot only waits, so that other programs can use the slots and the data. */
  unlock?: () => Promise<void>;
}
