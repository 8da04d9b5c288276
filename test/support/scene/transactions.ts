import {
  advance,
  openTransaction,
  type State,
  stateOf,
  type Transaction,
} from '../../../shared/update/transaction/transaction.ts';

export interface TransactionOptions {
  bootId?: string;
  slot?: string | null;
  version?: string;
  isClosed?: boolean;
  /** Of the last step. */
  reason?: string;
  /** Migrated before the reboot. */
  isByInstall?: boolean;
}

/** An update from 1.0.0 in rootfs.0 to 1.1.0 in rootfs.1 that has come to this state. */
export function transactionAt(state: State, options: TransactionOptions = {}): Transaction {
  const {
    bootId = 'earlier-boot',
    slot = 'rootfs.1',
    version = '1.1.0',
    isClosed = false,
    reason,
    isByInstall = false,
  } = options;
  const moment = { at: new Date('2026-01-02T03:04:05Z'), bootId };
  const opened = openTransaction('the-id', { version: '1.0.0', slot: null }, { version, slot }, moment);
  // A trial migrates, unless post-install has.
  const states: State[] = state === 'migrated' && !isByInstall ? ['trial', state] : [state];
  const transaction =
    stateOf(opened) === state
      ? opened
      : states.reduce((so, next) => advance(so, next, moment, reason), opened);
  return { ...transaction, isClosed };
}
