import { readRevisions } from '../../stack/migrations.ts';
import { needsMigration } from '../../stack/migrations-revisions.ts';
import { faultPoint } from '../../system/fault-point.ts';
import { bringDataForward } from '../data/data-steps.ts';
import { findNextStack, findStack, type Stack } from '../data/stack.ts';
import { haveRunning } from '../data/stack-control.ts';
import type { Device } from '../transaction/device.ts';
import { holdNow } from '../transaction/hold.ts';
import { isMigrated, needsRestore } from '../transaction/transaction.ts';
import type { TransactionWriter } from '../transaction/transaction-writer.ts';
import { oweRunningOn } from './early-undo.ts';
import { standByRepair } from './stand-by-repair.ts';

/** Time for a dump and a restore, each with a deadline of its own, and for stopping and starting services around them. */
const dataMs = 4 * 60 * 60_000;

/**
 * `migrate_in: post-install`: migrates the old system's data to the schema of the new slot. Only the new version can use
 * that schema, so the orchestrator stays stopped until the reboot. Where there is nothing to migrate, nothing is stopped.
 */
export async function migrateEarly(
  record: TransactionWriter,
  slotMount: string,
  device: Device,
): Promise<void> {
  const { places, config, log, signal } = device;
  device.allow(dataMs + config.update.migrationLongestSeconds * 1000);
  // An unexpected error does not abort the program's signal: this one ends the running data step.
  const ending = new AbortController();
  const working = { ...device, signal: AbortSignal.any([signal, ending.signal]) };
  const stack = await findNextStack(slotMount, working);
  if (stack === undefined) {
    log.info('There is no database that could be migrated before the reboot');
    return;
  }
  if (!needsRestore(record.transaction)) {
    if (!(await isBehind(stack, device))) {
      log.info('The database is at the schema of the new version: nothing has to stop for it');
      return;
    }
    // A killed run may have noted a dump; the orchestrator has run since, so that dump is out of date.
    record.note({ dump: undefined, redis: undefined });
  }

  await standByRepair(places, signal);
  await faultPoint('early:standing-by');
  let going: Promise<unknown> = Promise.resolve();
  const runOn = await oweRunningOn(record, stack, device, async () => {
    ending.abort(new Error('it ends'));
    await going;
  });
  holdNow(places);
  await faultPoint('early:held');
  going = bringDataForward(record, stack, working);
  await going;
  if (!isMigrated(record.transaction)) await runOn();
}

/** Whether the database needs a migration. The stack is not stopped; only the database is started where it does not run. */
async function isBehind(stack: Stack, device: Device): Promise<boolean> {
  const { places, config } = device;
  const { database, migrations } = stack;
  if (database === undefined || migrations === undefined) return false;
  const now = (await findStack(places.root, places.data, config)) ?? stack;
  const putBack = await haveRunning([database.service], now, device);
  const revisions = await readRevisions(migrations);
  await putBack();
  return needsMigration(revisions);
}
