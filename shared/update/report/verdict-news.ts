import { redact } from '../../system/redact.ts';
import { lastStep, type Transaction } from '../transaction/transaction.ts';
import type { Anomaly } from './find-anomalies.ts';
import type { Told } from './told.ts';

/** A verdict as it is told outside; docs/schema/verdict.json describes it. Nothing secret is in it. */
export interface VerdictNews {
  format: 1;
  /** The same whenever the same verdict is told. */
  id: string;
  state: string;
  at: string;
  reason: string | null;
  from: string | null;
  to: string | null;
  slot: string | null;
  /** What runs on the device that tells it. */
  running: string | null;
  anomalies: { kind: string; what: string; at: string }[];
}

/** At one time; the rest waits for the next. */
const mostAtOnce = 5;

/** The verdicts that nobody was told of yet, oldest first. Who is told for the first time wants no old ones but the last. */
export function untoldVerdicts(history: readonly Transaction[], { verdicts }: Told): Transaction[] {
  if (verdicts === undefined) return history.slice(-1);
  return history.filter((transaction) => !verdicts.includes(verdictId(transaction))).slice(0, mostAtOnce);
}

/** What was there before the first telling counts as told. */
export function toldBefore(history: readonly Transaction[], { verdicts }: Told): readonly string[] {
  return verdicts ?? history.slice(0, -1).map(verdictId);
}

export function newsOf(
  transaction: Transaction,
  running: string | undefined,
  anomalies: readonly Anomaly[],
): VerdictNews {
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

/** A transaction may be closed twice: committed, and later given up. */
export function verdictId({ id, steps }: Transaction): string {
  return `${id}:${steps.length}`;
}
