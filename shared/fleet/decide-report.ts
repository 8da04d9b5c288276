import { lastStep, stateOf, type Transaction } from '../update/transaction/transaction.ts';
import { verdictOf } from './decide-step.ts';

/** The verdict to report for the action of that version; undefined where the last update here was another one. */
export function decideReport(
  last: Transaction | undefined,
  version: string | undefined,
): { isSuccess: boolean; reason: string } | undefined {
  if (last === undefined || version === undefined || last.to.version !== version) return undefined;
  const { reason } = lastStep(last);
  const { isSuccess, reason: words } = verdictOf({ state: stateOf(last), reason, isClosed: last.isClosed });
  return { isSuccess, reason: words };
}
