import { type Config, defaultConfig, readConfig } from '../../config/config.ts';
import { reasonOf } from '../../system/failure.ts';
import type { Places } from '../../system/places.ts';
import type { Log } from '../../system/terminal/log.ts';
import type { Transaction } from './transaction.ts';
import { knownTransaction, readTransaction } from './transaction-store.ts';

/** Reads files that may be damaged, for recovery: the damage is logged, and recovery continues without the file. */

export function configForRecovery(places: Places, log: Log): Config {
  try {
    return readConfig(places);
  } catch (error) {
    log.warn(`${reasonOf(error)}; going on with the defaults`);
    return defaultConfig(places);
  }
}

export function transactionForRecovery(places: Places, log: Log): Transaction | undefined {
  const current = readTransaction(places);
  if (current.kind === 'damaged') log.warn(`${current.reason}; going on without it`);
  return knownTransaction(current);
}
