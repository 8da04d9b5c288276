import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Failure, isMissing, reasonOf } from '../../system/failure.ts';
import { appendLine, makeFolder, renameDurably, writeDurably } from '../../system/files/durable-file.ts';
import { type Places, updateFolderOf } from '../../system/places.ts';
import type { BareDevice } from './device.ts';
import { contentOf, parseTransaction, stateOf, type Transaction } from './transaction.ts';
import { owesInOtherForm } from './unreadable-debt.ts';
import type { UpdateLock } from './update-lock.ts';

/**
 * The transaction and the history on the data partition. After a kill at any line, the next run reads the old or new state.
 * Reading needs only the places; what writes needs the lock.
 */

export type CurrentTransaction =
  | { kind: 'none' }
  | { kind: 'known'; transaction: Transaction }
  /** The file is unreadable. The device continues without it, unless it says that data has to be restored. */
  | { kind: 'damaged'; reason: string; owes: boolean };

export function readTransaction(places: Places): CurrentTransaction {
  const path = transactionFile(places);
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(path, 'utf8'));
    return { kind: 'known', transaction: parseTransaction(content) };
  } catch (error) {
    if (isMissing(error)) return { kind: 'none' };
    const reason = `Cannot read the transaction "${path}": ${reasonOf(error)}`;
    return { kind: 'damaged', reason, owes: owesInOtherForm(content) };
  }
}

/** The transaction where there is one to read. */
export function knownTransaction(current: CurrentTransaction): Transaction | undefined {
  return current.kind === 'known' ? current.transaction : undefined;
}

/** The transaction, for recovery: a damaged file is reported by `tell`, and recovery continues without it. */
export function transactionForRecovery(
  { places, log }: BareDevice,
  tell = (line: string): void => log.warn(line),
): Transaction | undefined {
  const current = readTransaction(places);
  if (current.kind === 'damaged') tell(`${current.reason}; continuing without it`);
  return knownTransaction(current);
}

export function writeTransaction({ places }: UpdateLock, transaction: Transaction): void {
  const path = transactionFile(places);
  try {
    makeFolder(updateFolderOf(places));
    writeDurably(path, `${JSON.stringify(contentOf(transaction), undefined, 2)}\n`);
  } catch (error) {
    throw new Failure(`Cannot write the transaction "${path}": ${reasonOf(error)}`, { cause: error });
  }
}

/**
 * Puts the verdict into the history, then marks the transaction closed. If it is interrupted between the two, a second run
 * finds the verdict there already and does not add it again.
 */
export function closeTransaction(lock: UpdateLock, transaction: Transaction): Transaction {
  const { places } = lock;
  const closed = { ...transaction, isClosed: true };
  const isThere = readHistory(places).some(
    ({ id, steps }) => id === closed.id && steps.length === closed.steps.length,
  );
  if (!isThere) appendHistory(places, closed);
  writeTransaction(lock, closed);
  return closed;
}

function appendHistory(places: Places, closed: Transaction): void {
  const path = historyFile(places);
  try {
    makeFolder(updateFolderOf(places));
    appendLine(path, JSON.stringify(contentOf(closed)));
  } catch (error) {
    throw new Failure(`Cannot write the history "${path}": ${reasonOf(error)}`, { cause: error });
  }
}

/** Every closed transaction, oldest first; lines that a power cut left incomplete are ignored. */
export function readHistory(places: Places): Transaction[] {
  let text: string;
  try {
    text = readFileSync(historyFile(places), 'utf8');
  } catch (error) {
    if (isMissing(error)) return [];
    throw new Failure(`Cannot read the history "${historyFile(places)}": ${reasonOf(error)}`, {
      cause: error,
    });
  }
  return text.split('\n').flatMap((line) => {
    try {
      return line === '' ? [] : [parseTransaction(JSON.parse(line))];
    } catch {
      return [];
    }
  });
}

/** All updates that this device has seen, oldest first, each in its last state. */
export function allTransactions(places: Places): Transaction[] {
  const current = knownTransaction(readTransaction(places));
  const all = [...readHistory(places), ...(current === undefined ? [] : [current])];
  return all.filter(({ id }, index) => all.findLastIndex((other) => other.id === id) === index);
}

/** The version that was committed last on this device. */
export function committedVersion(history: readonly Transaction[]): string | undefined {
  return history.findLast((transaction) => stateOf(transaction) === 'committed')?.to.version ?? undefined;
}

/** Renames a damaged file, so that a new one can be written and an operator can inspect it. Answers with its new path. */
export function setDamagedAside({ places }: UpdateLock, now: Date): string {
  const path = transactionFile(places);
  const aside = `${path}.damaged-${now.toISOString().replace(/[:.]/g, '-')}`;
  try {
    renameDurably(path, aside);
  } catch (error) {
    throw new Failure(`Cannot set "${path}" aside: ${reasonOf(error)}`, { cause: error });
  }
  return aside;
}

export function transactionFile(places: Places): string {
  return join(updateFolderOf(places), 'transaction.json');
}

function historyFile(places: Places): string {
  return join(updateFolderOf(places), 'history.jsonl');
}
