import { markActive } from '../../rauc/mark.ts';
import { readSlots, type Slots } from '../../rauc/status.ts';
import type { Values } from '../../system/arguments.ts';
import { requireYes } from '../../system/confirm.ts';
import type { Outcome } from '../../system/exit-code.ts';
import { Failure } from '../../system/failure.ts';
import { findPlaces, logFileOf, type Places } from '../../system/places.ts';
import type { Running } from '../../system/program.ts';
import { cancelPending } from '../cancel-pending.ts';
import { decideRollback } from '../decide-rollback.ts';
import { holdNextBoot } from '../hold.ts';
import { takeUpdaterLock } from '../install-lock.ts';
import { knownTransaction, readTransaction, writeTransaction } from '../journal.ts';
import { UpdateRecord } from '../record.ts';
import { configForRecovery } from '../recovery.ts';
import { oweNews } from '../tell-news.ts';
import { owesRestore, stateOf, type Transaction } from '../transaction.ts';

const reason = 'an operator asked for it';

export async function rollBackByHand(values: Values, running: Running): Promise<Outcome> {
  return (await goBack(values, running)) ?? 'done';
}

/** Gives up the update that waits for its reboot, and nothing else; undefined where none does. */
export function cancelInstalled(values: Values, running: Running): Promise<Outcome | undefined> {
  return goBack(values, running, 'cancel-pending');
}

async function goBack(
  values: Values,
  running: Running,
  only?: 'cancel-pending',
): Promise<Outcome | undefined> {
  const { log, undo, signal } = running;
  const places = findPlaces({ data: values.text('data') });
  const isDryRun = values.flag('dry-run');
  const transaction = knownTransaction(readTransaction(places));
  const slots = await readSlots(signal);
  const plan = decideRollback(transaction, slots);
  if (only !== undefined && plan.kind !== only) return undefined;
  if (plan.kind === 'refuse') {
    throw new Failure(`Cannot roll back: ${plan.reason}`, { outcome: 'tryLater', advice: plan.advice });
  }
  const open = recordToClose(transaction, slots, places);
  const what = whatOfData(open?.transaction, plan.kind);
  if (what !== undefined) log.warn(what);
  if (isDryRun) {
    log.info(
      `Would make slot "${plan.slot}" the primary one${plan.kind === 'switch' ? ', to be booted next' : ''}`,
    );
    return 'done';
  }
  if (losesItsSchema(open?.transaction))
    await requireYes('Go back without the data?', values.flag('yes'), signal);

  log.alsoTo(logFileOf(places));
  oweNews(places, running, () => slots.booted?.name);
  const lock = takeUpdaterLock(places);
  undo.owe('release the lock', () => lock.release());
  if (plan.kind === 'cancel-pending') {
    const boot = { places, config: configForRecovery(places, log), transaction, slots, running };
    await cancelPending(open, reason, plan.slot, boot);
    log.info('The installed update is cancelled; no reboot is needed');
    return 'done';
  }
  await switchSlots(open, plan.slot, places, running);
  log.info('Reboot to go back: "systemctl reboot"');
  return 'rebootNeeded';
}

async function switchSlots(
  record: UpdateRecord | undefined,
  slot: string,
  places: Places,
  { log, signal }: Running,
): Promise<void> {
  const before = record?.transaction;
  if (before !== undefined && stateOf(before) !== 'rolled-back') record?.advance('rolled-back', reason);
  try {
    await log.step('Marking', 'Marked', `slot "${slot}" active`, () => markActive('other', signal));
  } catch (error) {
    // Else the next boot would carry out what the operator was told has failed.
    if (before !== undefined) writeTransaction(places, before);
    throw error;
  }
  if (record === undefined) return;
  // Left open, the next boot restores, before the orchestrator is started.
  if (owesRestore(record.transaction)) holdNextBoot(places);
  else record.finish();
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

function whatOfData(
  transaction: Transaction | undefined,
  kind: 'cancel-pending' | 'switch',
): string | undefined {
  const dump = transaction?.dump?.path ?? 'none';
  if (losesItsSchema(transaction))
    return `Version "${transaction?.to.version}" is committed: its data stays, and the version before it meets the newer schema; what was before is "${dump}" (update.sh restore, once that version runs)`;
  if (transaction === undefined || !owesRestore(transaction)) return undefined;
  const when = kind === 'switch' ? 'at the next boot' : 'now';
  return `The update has changed the data: "${dump}" is restored ${when}, what is written until then is lost`;
}

/** A commit has ended the debt: the slot goes back alone. */
function losesItsSchema(transaction: Transaction | undefined): boolean {
  if (transaction === undefined || stateOf(transaction) !== 'committed') return false;
  return transaction.migration !== undefined && transaction.restored === undefined;
}
