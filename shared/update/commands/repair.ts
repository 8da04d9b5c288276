import type { Outcome } from '../../system/exit-code.ts';
import { Failure, reasonOf } from '../../system/failure.ts';
import { logFileOf } from '../../system/places.ts';
import type { Running } from '../../system/process/program.ts';
import type { Values } from '../../system/terminal/arguments.ts';
import { requireYes } from '../../system/terminal/confirm.ts';
import { print } from '../../system/terminal/print.ts';
import { beginRepair, beginRepairWhenIdle, longestWaitMs } from '../repair/begin-repair.ts';
import type { Damage } from '../repair/damage.ts';
import { findFaults } from '../repair/find-damage.ts';
import { oweNotifications } from '../report/notifications.ts';
import { openDevice, withConfig } from '../transaction/device.ts';
import { readTransaction } from '../transaction/transaction-store.ts';
import type { LockedDevice } from '../transaction/update-lock.ts';

const repairMs = 4 * 60 * 60_000;

interface Told extends Damage {
  /** Why the repair failed; undefined when it succeeded or was not tried. */
  problem?: string | undefined;
  outcome?: Outcome | undefined;
  isRepaired: boolean;
}

/** Reports what interrupted programs left behind, and repairs what it can; a second run finds nothing to repair. */
export async function repair(values: Values, running: Running): Promise<Outcome> {
  const bare = openDevice(values, running);
  const { places, log, signal } = bare;
  const isDryRun = values.flag('dry-run');
  if (values.flag('wait')) bare.allow(longestWaitMs);
  const begin = values.flag('wait') ? beginRepairWhenIdle : beginRepair;
  const { slots, lock } = await begin(bare, isDryRun);
  bare.allow(repairMs);
  const device = withConfig(bare);
  const faults = await findFaults(readTransaction(places), slots, device);
  for (const { wrong, remedy, mend } of faults)
    log.warn(`Found: ${wrong}. ${mend === undefined ? 'It' : 'Repair'} ${remedy}`);

  const mendable = faults.filter(({ mend }) => mend !== undefined);
  if (faults.length === 0) log.info('Nothing is wrong');
  let told: Told[] = faults.map((fault) => ({ ...fault, isRepaired: false }));
  if (mendable.length > 0 && lock !== undefined) {
    await requireYes(`Repair ${mendable.length === 1 ? 'it' : 'them'}?`, values.flag('yes'), signal);
    log.alsoTo(logFileOf(places));
    oweNotifications(device, () => slots?.booted?.name);
    told = await mendAll(faults, { ...device, lock });
  }
  if (values.flag('json')) print(1, jsonOf(told));
  const failed = told.filter(({ problem }) => problem !== undefined);
  if (failed.length > 0)
    throw new Failure(`Cannot repair ${failed.length} of ${mendable.length}: ${failed[0]?.problem}`, {
      outcome: failed.some(({ outcome }) => outcome === 'busy') ? 'busy' : 'failed',
      advice: 'Correct that, then run update.sh repair again',
    });
  return 'done';
}

/** A fault that cannot be repaired does not keep the others from being repaired. */
async function mendAll(faults: readonly Damage[], device: LockedDevice): Promise<Told[]> {
  const { log, signal } = device;
  const told: Told[] = [];
  for (const fault of faults) {
    if (fault.mend === undefined) {
      told.push({ ...fault, isRepaired: false });
      continue;
    }
    try {
      await fault.mend(device);
      log.info(`Repaired: ${fault.wrong}`);
      told.push({ ...fault, isRepaired: true });
    } catch (error) {
      signal.throwIfAborted();
      log.error(`Cannot repair it: ${reasonOf(error)}`);
      const outcome = error instanceof Failure ? error.outcome : undefined;
      told.push({ ...fault, isRepaired: false, problem: reasonOf(error), outcome });
    }
  }
  return told;
}

function jsonOf(told: readonly Told[]): string {
  const faults = told.map(({ kind, wrong, remedy, mend, isRepaired, problem }) => ({
    kind,
    wrong,
    remedy,
    isMendable: mend !== undefined,
    isMended: isRepaired,
    problem: problem ?? null,
  }));
  return `${JSON.stringify({ format: 1, faults }, undefined, 2)}\n`;
}
