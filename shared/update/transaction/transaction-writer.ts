import { randomUUID } from 'node:crypto';
import { Failure, reasonOf } from '../../system/failure.ts';
import { bootId } from '../../system/places.ts';
import type { Log } from '../../system/terminal/log.ts';
import {
  advance,
  isVerdict,
  type Moment,
  needsRestore,
  openTransaction,
  parseTransaction,
  type Release,
  type State,
  stateOf,
  type Transaction,
} from './transaction.ts';
import { closeTransaction, readTransaction, setDamagedAside, writeTransaction } from './transaction-store.ts';
import type { UpdateLock } from './update-lock.ts';

type NotedFact =
  | 'backup'
  | 'baseline'
  | 'dump'
  | 'redis'
  | 'images'
  | 'migration'
  | 'restored'
  | 'stackLogs'
  | 'attemptsGivenBack';

/** Writes the transaction of a program: each step is on disk before the program continues. */
export class TransactionWriter {
  #transaction: Transaction;
  readonly #lock: UpdateLock;
  #isDone = false;

  private constructor(lock: UpdateLock, transaction: Transaction) {
    this.#lock = lock;
    this.#transaction = transaction;
  }

  /** Opens a new transaction; one that was never closed is closed first, as failed. */
  static open(lock: UpdateLock, from: Release, to: Release, log: Log): TransactionWriter {
    closeLeftOver(lock, to.version, log);
    const transaction = openTransaction(randomUUID(), from, to, thisMoment());
    writeTransaction(lock, transaction);
    return new TransactionWriter(lock, transaction);
  }

  /** Resumes the transaction that another program opened. */
  static resume(lock: UpdateLock, transaction: Transaction): TransactionWriter {
    return new TransactionWriter(lock, transaction);
  }

  get transaction(): Transaction {
    return this.#transaction;
  }

  advance(state: State, reason?: string): void {
    this.#transaction = advance(this.#transaction, state, thisMoment(), reason);
    writeTransaction(this.#lock, this.#transaction);
    this.#isDone = true;
  }

  /** Writes facts beside the steps; they too are on disk before the program continues. `undefined` removes a fact. */
  note(facts: { [Fact in NotedFact]?: Transaction[Fact] | undefined }): void {
    const merged = Object.entries({ ...this.#transaction, ...facts });
    this.#transaction = parseTransaction(Object.fromEntries(merged.filter(([, fact]) => fact !== undefined)));
    writeTransaction(this.#lock, this.#transaction);
  }

  /** Takes steps back whose work has failed: else the next boot would carry out what was reported as failed. */
  takeBackTo(earlier: Transaction): void {
    this.#transaction = earlier;
    writeTransaction(this.#lock, earlier);
  }

  /** Writes the last step, then finishes. If it is interrupted between the two, the next run only has to finish. */
  close(state: State, reason?: string): void {
    this.advance(state, reason);
    this.finish();
  }

  /** Puts the verdict of the last step into the history. If a restore is owed, the program that restores finishes instead. */
  finish(): void {
    if (needsRestore(this.#transaction)) return;
    this.#transaction = closeTransaction(this.#lock, this.#transaction);
    this.#isDone = true;
  }

  /** For the undo stack: a program that ended before its step was done leaves a failed transaction. */
  failUnlessDone(reason: unknown): void {
    if (this.#isDone) return;
    this.close(
      'failed',
      reason === undefined ? `${stateOf(this.#transaction)} was not finished` : reasonOf(reason),
    );
  }
}

function closeLeftOver(lock: UpdateLock, version: string | null, log: Log): void {
  const current = readTransaction(lock.places);
  if (current.kind === 'damaged') {
    if (current.owes) throw owing(version, 'an update');
    log.warn(current.reason);
    log.warn(`It is kept as "${setDamagedAside(lock, new Date())}"`);
    return;
  }
  if (current.kind === 'none' || current.transaction.isClosed) return;
  if (needsRestore(current.transaction))
    throw owing(version, `the update to "${current.transaction.to.version}"`);
  const state = stateOf(current.transaction);
  if (isVerdict(state)) {
    closeTransaction(lock, current.transaction);
    return;
  }
  const reason =
    state === 'installed'
      ? `replaced by "${version}" before its reboot`
      : `it never got further than "${state}"`;
  TransactionWriter.resume(lock, current.transaction).close('failed', reason);
  log.warn(`The update to "${current.transaction.to.version}" before this one failed: ${reason}`);
}

/** install-check refuses such an update earlier; where it did not run, the dump must not be forgotten. */
function owing(version: string | null, update: string): Failure {
  const reason = `the data that ${update} changed has not been restored yet`;
  return new Failure(`Cannot begin the update to "${version}": ${reason}`, {
    outcome: 'tryLater',
    advice: 'Reboot: the next boot restores it',
  });
}

function thisMoment(): Moment {
  return { at: new Date(), bootId: bootId() };
}
