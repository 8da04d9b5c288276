import { markActive } from '../../rauc/mark.ts';
import { readSlots, type Slots } from '../../rauc/status.ts';
import type { Values } from '../../system/arguments.ts';
import type { Outcome } from '../../system/exit-code.ts';
import { Failure } from '../../system/failure.ts';
import { findPlaces, logFileOf, type Places } from '../../system/places.ts';
import type { Running } from '../../system/program.ts';
import { decideRollback } from '../decide-rollback.ts';
import { takeUpdaterLock } from '../install-lock.ts';
import { knownTransaction, readTransaction, writeTransaction } from '../journal.ts';
import { UpdateRecord } from '../record.ts';
import { stateOf, type Transaction } from '../transaction.ts';

const reason = 'an operator asked for it';

export async function rollBackByHand(values: Values, running: Running): Promise<Outcome> {
  const { log, undo, signal } = running;
  const places = findPlaces({ data: values.text('data') });
  const transaction = knownTransaction(readTransaction(places));
  const slots = await readSlots(signal);
  const plan = decideRollback(transaction, slots);
  if (plan.kind === 'refuse') {
    throw new Failure(`Cannot roll back: ${plan.reason}`, { outcome: 'tryLater', advice: plan.advice });
  }
  if (values.flag('dry-run')) {
    log.info(
      `Would make slot "${plan.slot}" the primary one${plan.kind === 'switch' ? ', to be booted next' : ''}`,
    );
    return 'done';
  }

  log.alsoTo(logFileOf(places));
  const lock = takeUpdaterLock(places);
  undo.owe('release the lock', () => lock.release());
  const record = recordToClose(transaction, slots, places);
  record?.advance('rolled-back', reason);
  const slot = plan.kind === 'switch' ? 'other' : 'booted';
  try {
    await log.step('Marking', 'Marked', `slot "${plan.slot}" active`, () => markActive(slot, signal));
  } catch (error) {
    // Else the next boot would carry out what the operator was told has failed.
    if (transaction !== undefined && record !== undefined) writeTransaction(places, transaction);
    throw error;
  }
  record?.finish();
  if (plan.kind === 'cancel-pending') {
    log.info('The installed update is cancelled; no reboot is needed');
    return 'done';
  }
  log.info('Reboot to go back: "systemctl reboot"');
  return 'rebootNeeded';
}

/** The update that is given up: an open one, or the committed one that runs. */
function recordToClose(
  transaction: Transaction | undefined,
  { booted }: Slots,
  places: Places,
): UpdateRecord | undefined {
  if (transaction === undefined) return undefined;
  const isCommittedHere = stateOf(transaction) === 'committed' && transaction.to.slot === booted?.name;
  return !transaction.isClosed || isCommittedHere ? UpdateRecord.resume(places, transaction) : undefined;
}
