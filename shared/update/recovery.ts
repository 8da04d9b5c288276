import { type Config, defaultConfig, readConfig } from '../system/config.ts';
import { Failure, reasonOf } from '../system/failure.ts';
import type { Log } from '../system/log.ts';
import type { Places } from '../system/places.ts';
import { knownTransaction, readTransaction } from './journal.ts';
import { findStack, type Stack } from './stack.ts';
import type { Transaction } from './transaction.ts';

/** What recovery reads though it may be damaged: it is told, and gone on without. */

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

/** Without a signal, so that it can be put back whatever told us to end. Throws a Failure where there is none. */
export async function requireStack(what: string, places: Places, config: Config): Promise<Stack> {
  const stack = await findStack(places.root, places.data, config);
  if (stack !== undefined) return stack;
  throw new Failure(`Cannot ${what}: this slot has no compose file "${config.update.composeFile}"`);
}
