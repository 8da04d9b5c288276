import { lastStep, stateOf, type Transaction } from '../transaction/transaction.ts';
import type { AdmissionRefusal } from './admission-refusal.ts';

/** The last verdict about the version on this device; undefined when it was never installed here, or has no verdict. */
export function lastVerdict(
  version: string,
  transactions: readonly Transaction[],
):
  | { state: 'committed' | 'rolled-back' | 'fallen-back' | 'failed'; at: string; reason: string | undefined }
  | undefined {
  const last = transactions.findLast(({ to }) => to.version === version);
  if (last === undefined) return undefined;
  const { at, reason } = lastStep(last);
  const state = stateOf(last);
  const isVerdict =
    state === 'committed' || state === 'rolled-back' || state === 'fallen-back' || state === 'failed';
  return isVerdict ? { state, at, reason } : undefined;
}

/**
 * Refuses a version that was rolled back or fell back: else a timer would install it again every night, and the board would
 * roll back every night. An install that failed before its reboot may be tried again. `transactions` are oldest first.
 */
export function refuseRolledBack(
  version: string,
  transactions: readonly Transaction[],
): AdmissionRefusal | undefined {
  const verdict = lastVerdict(version, transactions);
  if (verdict?.state !== 'rolled-back' && verdict?.state !== 'fallen-back') return undefined;
  const what = verdict.state === 'rolled-back' ? 'was rolled back' : 'did not come up, the board fell back';
  const why = verdict.reason === undefined ? '' : `: ${verdict.reason}`;
  return {
    outcome: 'incompatible',
    reason: `version ${version} ${what} here at ${verdict.at}${why}`,
    advice: 'Add --force to install it anyway',
  };
}
