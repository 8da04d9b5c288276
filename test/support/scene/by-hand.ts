import type { Places } from '../../../shared/system/places.ts';
import { UndoStack } from '../../../shared/system/process/undo.ts';
import { createLog } from '../../../shared/system/terminal/log.ts';
import type { BareDevice } from '../../../shared/update/transaction/device.ts';
import type { Transaction } from '../../../shared/update/transaction/transaction.ts';
import * as store from '../../../shared/update/transaction/transaction-store.ts';
import * as locks from '../../../shared/update/transaction/update-lock.ts';

/** What a test itself does on a device, beside the programs that it runs. */

export function bareDevice(places: Places): BareDevice {
  return {
    places,
    log: createLog('test'),
    undo: new UndoStack(),
    signal: new AbortController().signal,
    allow: () => {},
  };
}

/** The lock as our updater holds it. Throws a busy Failure. */
export function takeUpdaterLock(places: Places): locks.UpdateLock {
  return locks.takeUpdaterLock(bareDevice(places));
}

export function writeTransaction(places: Places, transaction: Transaction): void {
  store.writeTransaction(unlocked(places), transaction);
}

export function closeTransaction(places: Places, transaction: Transaction): Transaction {
  return store.closeTransaction(unlocked(places), transaction);
}

/** A test prepares a device without its lock, which one of the programs may hold. */
export function unlocked(places: Places): locks.UpdateLock {
  // Of a lock, the store reads nothing but the places.
  return { places } as locks.UpdateLock;
}
