import type { Outcome } from '../../system/exit-code.ts';
import { Failure, reasonOf } from '../../system/failure.ts';
import { findPlaces, logFileOf } from '../../system/places.ts';
import type { Running } from '../../system/process/program.ts';
import type { Values } from '../../system/terminal/arguments.ts';
import { requireYes } from '../../system/terminal/confirm.ts';
import { print } from '../../system/terminal/print.ts';
import type { BootContext } from '../boot/boot-context.ts';
import { beginRepair, beginRepairWhenIdle, longestWaitMs } from '../repair/begin-repair.ts';
import type { Damage } from '../repair/damage.ts';
import { findFaults } from '../repair/find-damage.ts';
import { oweNotifications } from '../report/notifications.ts';
import { configForRecovery } from '../transaction/recovery.ts';
import { knownTransaction, readTransaction } from '../transaction/transaction-store.ts';

const repairMs = 4 * 60 * 60_000;

interface Told extends Damage {
  /** Why the repair failed; undefined when it succeeded or was not tried. */
  problem?: string | undefined;
  isMended: boolean;
}

/** Reports what interrupted programs left behind, and repairs what it can; a second run finds nothing to repair. */
export async function repair(values: Values, running: Running): Promise<Outcome> {
  const { log, signal } = running;
  const places = findPlaces({ data: values.text('data') });
  const isDryRun = values.flag('dry-run');
  if (values.flag('wait')) running.allow(longestWaitMs);
  const begin = values.flag('wait') ? beginRepairWhenIdle : beginRepair;
  const slots = await begin({ places, isDryRun, running });
  running.allow(repairMs);
  const config = configForRecovery(places, log);
  const current = readTransaction(places);
  const transaction = knownTransaction(current);
  const boot: BootContext = { places, config, transaction, slots, running };
  const faults = await findFaults(boot, current);
  for (const { wrong, remedy, mend } of faults)
    log.warn(`Found: ${wrong}. ${mend === undefined ? 'It' : 'Repair'} ${remedy}`);

  const mendable = faults.filter(({ mend }) => mend !== undefined);
  if (faults.length === 0) log.info('Nothing is wrong');
  let told: Told[] = faults.map((fault) => ({ ...fault, isMended: false }));
  if (mendable.length > 0 && !isDryRun) {
    await requireYes(`Mend ${mendable.length === 1 ? 'it' : 'them'}?`, values.flag('yes'), signal);
    log.alsoTo(logFileOf(places));
    oweNotifications(places, running, () => slots?.booted?.name);
    told = await mendAll(faults, running);
  }
  if (values.flag('json')) print(1, jsonOf(told));
  const failed = told.filter(({ problem }) => problem !== undefined);
  if (failed.length > 0)
    throw new Failure(`Cannot mend ${failed.length} of ${mendable.length}: ${failed[0]?.problem}`, {
      advice: 'Run update.sh repair again when that is cured',
    });
  return 'done';
}

/** A fault that cannot be repaired does not keep the others from being repaired. */
async function mendAll(faults: readonly Damage[], { log, signal }: Running): Promise<Told[]> {
  const told: Told[] = [];
  for (const fault of faults) {
    if (fault.mend === undefined) {
      told.push({ ...fault, isMended: false });
      continue;
    }
    try {
      await fault.mend();
      log.info(`Mended: ${fault.wrong}`);
      told.push({ ...fault, isMended: true });
    } catch (error) {
      signal.throwIfAborted();
      log.error(`Cannot mend: ${reasonOf(error)}`);
      told.push({ ...fault, isMended: false, problem: reasonOf(error) });
    }
  }
  return told;
}

function jsonOf(told: readonly Told[]): string {
  const faults = told.map(({ kind, wrong, remedy, mend, isMended, problem }) => ({
    kind,
    wrong,
    remedy,
    isMendable: mend !== undefined,
    isMended,
    problem: problem ?? null,
  }));
  return `${JSON.stringify({ format: 1, faults }, undefined, 2)}\n`;
}
