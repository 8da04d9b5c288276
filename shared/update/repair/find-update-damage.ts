import { markActive } from '../../rauc/mark.ts';
import type { Slots } from '../../rauc/status.ts';
import { isUnitActive, startUnit } from '../../stack/unit.ts';
import { bootId } from '../../system/places.ts';
import { decideBoot } from '../boot/decide-boot.ts';
import { restoreOwedData } from '../data/restore-owed-data.ts';
import { readRelease } from '../slot/release.ts';
import type { Device } from '../transaction/device.ts';
import { dropHold, holdNow, isHeld } from '../transaction/hold.ts';
import { isVerdict, needsRestore, stateOf, type Transaction } from '../transaction/transaction.ts';
import { setDamagedAside } from '../transaction/transaction-store.ts';
import { TransactionWriter } from '../transaction/transaction-writer.ts';
import type { Damage } from './damage.ts';

/** Faults of the last update. post-activate repairs most of them at a boot, if the boot gets that far. */

export function findDamagedTransaction({ reason, owes }: { reason: string; owes: boolean }): Damage {
  if (owes) {
    const remedy = 'stays; the version in the other slot can read it, a boot goes there once';
    return { kind: 'transaction', wrong: `${reason}; the update has changed the data`, remedy };
  }
  return {
    kind: 'transaction',
    wrong: reason,
    remedy: 'sets the file aside; the next update begins a new one',
    mend: async ({ lock, log }) => log.info(`It is kept as "${setDamagedAside(lock, new Date())}"`),
  };
}

/** Undefined where no update is open, and where one waits for its reboot or is on trial: that is no fault. */
export function findOpenUpdate(
  transaction: Transaction,
  slots: Slots | undefined,
  { places }: Device,
): Damage | undefined {
  if (transaction.isClosed) return undefined;
  const state = stateOf(transaction);
  const name = `the update to "${transaction.to.version ?? 'unknown'}"`;
  const plan = decideBoot(transaction, {
    bootId: bootId(),
    booted: slots?.booted?.name,
    raucVersion: slots?.booted?.version,
    runningVersion: readRelease(places.root),
  });
  switch (plan.kind) {
    case 'trial':
    case 'go-back':
      return undefined;
    case 'reject':
      return leave(`${name} is not what runs: ${plan.reason}`, 'stays; post-activate rolls it back');
    case 'finish-rollback':
      return leave(`${name} was rejected, but its slot still runs`, 'stays; a reboot carries it out');
    case 'fallback':
      return close(transaction, `${name} did not come up, this slot runs instead`, 'fallen-back', {
        reason: 'the bootloader rejected the new slot',
        marksBooted: true,
      });
    case 'stay':
      return close(transaction, `${name} is "${state}", but not closed`, undefined, {
        marksBooted: true,
      });
    case 'unfinished':
      return close(transaction, `${name} never got further than "${state}"`, 'failed', {
        reason: `it never got further than "${state}"`,
      });
    case 'pending':
      return findStuck(transaction, name, slots);
    case 'normal':
    case 'unknown':
    case 'abandon-trial':
      if (isVerdict(state)) return close(transaction, `${name} is "${state}", but not closed`, undefined);
      return leave(`${name} is "${state}"`, 'left as it is: the running slot is unknown');
  }
}

/** If RAUC answers, no program works on this update: we hold the lock, and RAUC does not answer while it installs. */
function findStuck(transaction: Transaction, name: string, slots: Slots | undefined): Damage | undefined {
  const state = stateOf(transaction);
  if (slots?.booted === undefined) {
    if (state === 'installed') return undefined;
    return leave(`${name} is "${state}", and may be under way`, 'stays; RAUC does not answer');
  }
  if (state === 'installed' && slots.primary !== slots.booted) return undefined;
  const reason =
    state === 'installed'
      ? 'RAUC did not make its slot the primary one'
      : `it never got further than "${state}"`;
  return close(transaction, `${name} is "${state}", but no program is working on it: ${reason}`, 'failed', {
    reason,
  });
}

/** Its repair writes the verdict, restores the data if that is owed, closes the update, and lets the orchestrator run again. */
function close(
  transaction: Transaction,
  wrong: string,
  verdict: 'failed' | 'fallen-back' | undefined,
  { reason, marksBooted = false }: { reason?: string; marksBooted?: boolean } = {},
): Damage {
  const owes = needsRestore(transaction);
  const steps = [
    ...(marksBooted ? ['makes this slot the primary one'] : []),
    ...(owes ? [`restores the data from "${transaction.dump?.path ?? 'no dump'}"`] : []),
    `closes it${verdict === undefined ? '' : ` as "${verdict}"`}`,
  ];
  return {
    kind: owes ? 'debt' : 'update',
    wrong: owes ? `${wrong}, and it has changed the data` : wrong,
    remedy: steps.join(', '),
    mend: async (device) => {
      const { config, places, lock, log, undo, signal } = device;
      if (marksBooted)
        await log.step('Marking', 'Marked', 'the booted slot active', () => markActive('booted', signal));
      const record = TransactionWriter.resume(lock, transaction);
      if (verdict !== undefined) record.advance(verdict, reason);
      const { unit } = config.update;
      const isNeeded = owes && (isHeld(places) || (await isUnitActive(unit, signal)));
      if (isNeeded) undo.owe(`start "${unit}"`, () => startUnit(unit));
      // If the restore fails, the orchestrator must stay stopped.
      if (owes) holdNow(places);
      await restoreOwedData(record, device);
      record.finish();
      if (owes) dropHold(places);
    },
  };
}

function leave(wrong: string, remedy: string): Damage {
  return { kind: 'update', wrong, remedy };
}

/** Whether an update still needs the hold and the order of the slots that it has set. */
export function isUnderWay(transaction: Transaction | undefined, fault: Damage | undefined): boolean {
  return transaction?.isClosed === false && fault?.mend === undefined;
}
