import { Failure } from '../../system/failure.ts';
import { stateOf, type Transaction } from '../transaction/transaction.ts';

/** Throws a Failure while an update is changing the data: the update would continue on the restored data. */
export function decideRestore(transaction: Transaction | undefined): void {
  if (transaction === undefined || transaction.isClosed) return;
  const state = stateOf(transaction);
  if (state !== 'trial' && state !== 'migrated') return;
  throw new Failure(
    `Cannot restore the data: the update to "${transaction.to.version ?? 'unknown'}" is on trial`,
    {
      outcome: 'tryLater',
      advice:
        'Wait for its verdict, or end the trial first: update.sh rollback (or repair, once the old slot runs)',
    },
  );
}
