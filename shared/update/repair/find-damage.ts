import type { Slots } from '../../rauc/status.ts';
import { startUnit } from '../../stack/unit.ts';
import { decideFallback } from '../boot/decide-fallback.ts';
import { putFallbackBack } from '../boot/put-fallback-back.ts';
import { readAdmissionNote } from '../transaction/admission-note.ts';
import type { Device } from '../transaction/device.ts';
import { dropHold, hasHold, isHeld } from '../transaction/hold.ts';
import {
  allTransactions,
  type CurrentTransaction,
  knownTransaction,
} from '../transaction/transaction-store.ts';
import type { Damage } from './damage.ts';
import { findLeftDatabases, findLeftFiles } from './find-leftovers.ts';
import { findDamagedTransaction, findOpenUpdate, isUnderWay } from './find-update-damage.ts';

/** All faults that interrupted runs have left, in the order in which they are repaired. Changes nothing. */
export async function findFaults(
  current: CurrentTransaction,
  slots: Slots | undefined,
  device: Device,
): Promise<Damage[]> {
  const transaction = knownTransaction(current);
  const damaged = current.kind === 'damaged' ? findDamagedTransaction(current) : undefined;
  const update = transaction === undefined ? undefined : findOpenUpdate(transaction, slots, device);
  const isBusy = isUnderWay(transaction, update) || (current.kind === 'damaged' && current.owes);
  // The repair of a debt restores the data: that also removes left databases and drops the hold.
  const restores = update?.kind === 'debt';
  return [
    damaged,
    update,
    isBusy || restores ? undefined : findStaleHold(device),
    findLeftFiles(device),
    restores || isBusy ? undefined : await findLeftDatabases(device),
    ...(isBusy ? [] : findLostFallback(slots, device)),
  ].filter((fault) => fault !== undefined);
}

function findStaleHold({ places, config }: Device): Damage | undefined {
  if (!hasHold(places)) return undefined;
  const { unit } = config.update;
  const keepsNow = isHeld(places);
  return {
    kind: 'hold',
    wrong: `"${unit}" is held back, but no update needs it`,
    remedy: keepsNow ? `drops the hold and starts "${unit}"` : 'drops the hold',
    mend: async ({ log }) => {
      dropHold(places);
      if (keepsNow) await log.step('Starting', 'Started', `"${unit}"`, () => startUnit(unit));
    },
  };
}

function findLostFallback(slots: Slots | undefined, { places }: Device): Damage[] {
  if (slots === undefined) {
    const remedy = 'stays unchecked; run repair again when RAUC answers';
    return [{ kind: 'slots', wrong: 'RAUC does not answer: the slots cannot be checked', remedy }];
  }
  const unread = slots.all.find((slot) => slot.bootStatus === 'unknown');
  if (unread !== undefined)
    return [
      {
        kind: 'slots',
        wrong: `the boot status of slot "${unread.name}" is unknown: RAUC cannot read it from the bootloader's environment`,
        remedy: 'stays; see update.sh doctor, and run repair again',
      },
    ];
  const plan = decideFallback(allTransactions(places), slots, readAdmissionNote(places));
  if (plan.kind === 'none') return [];
  const wrong = `slot "${plan.slot}" is out of the boot order, there is no fallback`;
  if (plan.kind === 'leave') {
    const remedy = `stays; ${plan.reason}. The next install fills it`;
    return [{ kind: 'fallback', wrong, remedy }];
  }
  return [
    {
      kind: 'fallback',
      wrong: `${wrong}; it is whole, ${plan.reason}`,
      remedy: 'puts it back, behind the slot that runs',
      mend: (device) => putFallbackBack(slots, device),
    },
  ];
}
