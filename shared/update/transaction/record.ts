import { randomUUID } from 'node:crypto';
import { Failure, reasonOf } from '../../system/failure.ts';
import { bootId, type Places } from '../../system/places.ts';
import type { Log } from '../../system/terminal/log.ts';
import { closeTransaction, readTransaction, setDamagedAside, writeTransaction } from './journal.ts';
import {
  advance,
  isVerdict,
  type Moment,
  openTransaction,
  owesRestore,
  parseTransaction,
  type Release,
  type State,
  stateOf,
  type Transaction,
} from './transaction.ts';

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

/** The transaction as a program writes it: each step is on disk before the program goes on. */
export class UpdateRecord {
  #transaction: Transaction;
  readonly #places: Places;
  #isDone = false;

  private constructor(places: Places, transaction: Transaction) {
    this.#places = places;
    this.#transaction = transaction;
  }

  /** Opens a new transaction; one that was never closed is closed first, as failed. */
  static open(places: Places, from: Release, to: Release, log: Log): UpdateRecord {
    closeLeftOver(places, to.version, log);
    const transaction = openTransaction(randomUUID(), from, to, thisMoment());
    writeTransaction(places, transaction);
    return new UpdateRecord(places, transaction);
  }

  /** Goes on with the transaction that another program opened. */
  static resume(places: Places, transaction: Transaction): UpdateRecord {
    return new UpdateRecord(places, transaction);
  }

  get transaction(): Transaction {
    return this.#transaction;
  }

  advance(state: State, reason?: string): void {
    this.#transaction = advance(this.#transaction, state, thisMoment(), reason);
    writeTransaction(this.#places, this.#transaction);
    this.#isDone = true;
  }

  /** Facts beside the steps; on disk before the program goes on, too. `undefined` takes one away. */
  note(facts: { [Fact in NotedFact]?: Transaction[Fact] | undefined }): void {
    const merged = Object.entries({ ...this.#transaction, ...facts });
    this.#transaction = parseTransaction(Object.fromEntries(merged.filter(([, fact]) => fact !== undefined)));
    writeTransaction(this.#places, this.#transaction);
  }

  /** The last step and its verdict: cut short between the two, the next run finds the step and only finishes. */
  close(state: State, reason?: string): void {
    this.advance(state, reason);
    this.finish();
  }

  /** Puts the verdict that the last step gave into the history; one that owes a restore is finished by who pays it. */
  finish(): void {
    if (owesRestore(this.#transaction)) return;
    this.#transaction = closeTransaction(this.#places, this.#transaction);
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

function closeLeftOver(places: Places, version: string | null, log: Log): void {
  const current = readTransaction(places);
  if (current.kind === 'damaged') {
    log.warn(current.reason);
    log.warn(`It is kept as "${setDamagedAside(places, new Date())}"`);
    return;
  }
  if (current.kind === 'none' || current.transaction.isClosed) return;
  if (owesRestore(current.transaction)) throw owing(version, current.transaction);
  const state = stateOf(current.transaction);
  if (isVerdict(state)) {
    closeTransaction(places, current.transaction);
    return;
  }
  const reason =
    state === 'installed'
      ? `replaced by "${version}" before its reboot`
      : `it never got further than "${state}"`;
  UpdateRecord.resume(places, current.transaction).close('failed', reason);
  log.warn(`The update to "${current.transaction.to.version}" before this one failed: ${reason}`);
}

/** install-check refuses it before; the dump must not be forgotten where that did not run. */
function owing(version: string | null, { to }: Transaction): Failure {
  const reason = `the data that the update to "${to.version}" changed has not been restored yet`;
  return new Failure(`Cannot begin the update to "${version}": ${reason}`, {
    outcome: 'tryLater',
    advice: 'Reboot: the next boot restores it',
  });
}

function thisMoment(): Moment {
  return { at: new Date(), bootId: bootId() };
}
