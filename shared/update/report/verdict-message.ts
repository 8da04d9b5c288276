import { redact } from '../../system/redact.ts';
import { lastStep, type Transaction } from '../transaction/transaction.ts';
import type { Anomaly } from './find-anomalies.ts';
import { mostKept, type Notified } from './notified.ts';

/** A verdict as it is sent to a receiver; docs/schema/verdict.json describes it. It contains no secrets. */
export interface VerdictMessage {
  format: 1;
  /** Stays the same when the same verdict is sent again. */
  id: string;
  state: string;
  at: string;
  reason: string | null;
  from: string | null;
  to: string | null;
  slot: string | null;
  /** The version that runs on the device when it sends the verdict. */
  running: string | null;
  anomalies: { kind: string; what: string; at: string }[];
}

/** How many verdicts are sent in one run; the rest waits for the next run. */
const mostAtOnce = 5;

/** The verdicts that have not been sent yet, oldest first. A newly configured receiver gets only the latest verdict. */
export function unsentVerdicts(history: readonly Transaction[], { verdicts }: Notified): Transaction[] {
  if (verdicts === undefined) return history.slice(-1);
  return history
    .slice(-mostKept)
    .filter((transaction) => !verdicts.includes(verdictId(transaction)))
    .slice(0, mostAtOnce);
}

/** The ids that count as sent: at the first time, all verdicts before the latest. */
export function sentBefore(history: readonly Transaction[], { verdicts }: Notified): readonly string[] {
  return verdicts ?? history.slice(0, -1).map(verdictId);
}

export function verdictMessageOf(
  transaction: Transaction,
  running: string | undefined,
  anomalies: readonly Anomaly[],
): VerdictMessage {
  const { state, at, reason } = lastStep(transaction);
  return {
    format: 1,
    id: verdictId(transaction),
    state,
    at,
    reason: reason === undefined ? null : redact(reason),
    from: transaction.from.version,
    to: transaction.to.version,
    slot: transaction.to.slot,
    running: running ?? null,
    anomalies: anomalies.map(({ kind, what, at: seen }) => ({ kind, what: redact(what), at: seen })),
  };
}

/** A transaction may be closed twice: committed, and later abandoned. */
export function verdictId({ id, steps }: Transaction): string {
  return `${id}:${steps.length}`;
}
