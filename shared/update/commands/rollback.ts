import { markActive } from '../../rauc/mark.ts';
import { readSlots, type Slots } from '../../rauc/status.ts';
import type { Outcome } from '../../system/exit-code.ts';
import { Failure } from '../../system/failure.ts';
import { logFileOf } from '../../system/places.ts';
import type { Running } from '../../system/process/program.ts';
import type { Values } from '../../system/terminal/arguments.ts';
import { requireYes } from '../../system/terminal/confirm.ts';
import type { Log } from '../../system/terminal/log.ts';
import { cancelPending } from '../boot/cancel-pending.ts';
import { decideRollback, type RollbackPlan } from '../boot/decide-rollback.ts';
import { oweNotifications } from '../report/notifications.ts';
import { type BareDevice, openDevice, withConfig } from '../transaction/device.ts';
import { holdNextBoot } from '../transaction/hold.ts';
import { needsRestore, stateOf, type Transaction } from '../transaction/transaction.ts';
import { knownTransaction, readTransaction } from '../transaction/transaction-store.ts';
import { TransactionWriter } from '../transaction/transaction-writer.ts';
import { takeFreeUpdaterLock, type UpdateLock } from '../transaction/update-lock.ts';

const reason = 'an operator asked for it';
/** The maximum number of decisions, when the transaction or the slots change before the lock is taken. */
const mostQuestions = 3;

export async function rollBackByHand(values: Values, running: Running): Promise<Outcome> {
  return (await goBack(values, openDevice(values, running))) ?? 'done';
}

/** Cancels the update that waits for its reboot, and nothing else; returns undefined when no update waits. */
export function cancelInstalled(values: Values, device: BareDevice): Promise<Outcome | undefined> {
  return goBack(values, device, 'cancel-pending');
}

async function goBack(
  values: Values,
  device: BareDevice,
  only?: 'cancel-pending',
): Promise<Outcome | undefined> {
  const { places, log, signal } = device;
  for (let asked = 1; ; asked += 1) {
    const seen = await lookAt(device);
    if (only !== undefined && seen.plan.kind !== only) return undefined;
    const back = requireWayBack(seen);
    if (back.what !== undefined) log.warn(back.what);
    if (values.flag('dry-run')) return tellPlan(back, log);
    if (back.losesItsSchema) await requireYes('Go back without the data?', values.flag('yes'), signal);

    const lock = await takeFreeUpdaterLock(device);
    // While the operator thinks, the timer may install: the answer counts only for what the operator saw.
    if (Bun.deepEquals(await lookAt(device), seen)) {
      log.alsoTo(logFileOf(places));
      oweNotifications(device, () => seen.slots.booted?.name);
      return await carryOut(back, lock, device);
    }
    await lock.release();
    if (asked === mostQuestions)
      throw new Failure('Cannot roll back: the update and the slots change again and again', {
        outcome: 'tryLater',
        advice: 'See "update.sh status", and try again once no update is running',
      });
    log.warn('The update or the slots have changed meanwhile: looking again');
  }
}

/** The facts that decide a rollback: read before the question, and again under the lock. */
interface Seen {
  transaction: Transaction | undefined;
  slots: Slots;
  plan: RollbackPlan;
}

interface WayBack extends Seen {
  plan: Exclude<RollbackPlan, { kind: 'refuse' }>;
  /** A message about the data; undefined when the data is not affected. */
  what: string | undefined;
  losesItsSchema: boolean;
}

async function lookAt({ places, signal }: BareDevice): Promise<Seen> {
  const transaction = knownTransaction(readTransaction(places));
  const slots = await readSlots(signal);
  return { transaction, slots, plan: decideRollback(transaction, slots) };
}

function requireWayBack(seen: Seen): WayBack {
  const { plan } = seen;
  if (plan.kind === 'refuse')
    throw new Failure(`Cannot roll back: ${plan.reason}`, { outcome: 'tryLater', advice: plan.advice });
  const open = closable(seen);
  return { ...seen, plan, what: whatOfData(open, plan.kind), losesItsSchema: losesItsSchema(open) };
}

function tellPlan({ plan }: WayBack, log: Log): Outcome {
  const when = plan.kind === 'switch' ? ', to be booted next' : '';
  log.info(`Would make slot "${plan.slot}" the primary one${when}`);
  return 'done';
}

async function carryOut(back: WayBack, lock: UpdateLock, device: BareDevice): Promise<Outcome> {
  const { plan } = back;
  const { log } = device;
  const open = closable(back);
  const record = open && TransactionWriter.resume(lock, open);
  if (plan.kind === 'cancel-pending') {
    await cancelPending(record, { slot: plan.slot, reason }, withConfig(device));
    log.info('The installed update is cancelled; no reboot is needed');
    return 'done';
  }
  await switchSlots(record, plan.slot, device);
  log.info('Reboot to go back: "systemctl reboot"');
  return 'rebootNeeded';
}

async function switchSlots(
  record: TransactionWriter | undefined,
  slot: string,
  { places, log, signal }: BareDevice,
): Promise<void> {
  const before = record?.transaction;
  if (before !== undefined && stateOf(before) !== 'rolled-back') record?.advance('rolled-back', reason);
  try {
    await log.step('Marking', 'Marked', `slot "${slot}" active`, () => markActive('other', signal));
  } catch (error) {
    if (before !== undefined) record?.takeBackTo(before);
    throw error;
  }
  if (record === undefined) return;
  // The record stays open: the next boot restores the data before it starts the orchestrator.
  if (needsRestore(record.transaction)) holdNextBoot(places);
  else record.finish();
}

/** The update that a rollback abandons: an open one, or the committed one that runs. */
function closable({ transaction, slots: { booted } }: Seen): Transaction | undefined {
  if (transaction === undefined) return undefined;
  const isCommittedHere = stateOf(transaction) === 'committed' && transaction.to.slot === booted?.name;
  return !transaction.isClosed || isCommittedHere ? transaction : undefined;
}

function whatOfData(
  transaction: Transaction | undefined,
  kind: 'cancel-pending' | 'switch',
): string | undefined {
  const dump = transaction?.dump?.path ?? 'none';
  if (losesItsSchema(transaction))
    return `Version "${transaction?.to.version}" is committed: its data stays, and the version before it meets the newer schema; what was before is "${dump}" (update.sh restore, once that version runs)`;
  if (transaction === undefined || !needsRestore(transaction)) return undefined;
  const when = kind === 'switch' ? 'at the next boot' : 'now';
  return `The update has changed the data: "${dump}" is restored ${when}, what is written until then is lost`;
}

/** Whether the data stays at the newer schema: after a commit no restore is owed, and the slot goes back alone. */
function losesItsSchema(transaction: Transaction | undefined): boolean {
  if (transaction === undefined || stateOf(transaction) !== 'committed') return false;
  return transaction.migration !== undefined && transaction.restored === undefined;
}
