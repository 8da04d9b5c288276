import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expireBackups } from '../../data/backups/retention.ts';
import { markGood } from '../../rauc/mark.ts';
import type { Slots } from '../../rauc/status.ts';
import { parseBaseline } from '../../stack/health/baseline.ts';
import type { Baseline } from '../../stack/health/verdict.ts';
import { pruneImages } from '../../stack/images/image-prune.ts';
import { startUnit } from '../../stack/unit.ts';
import type { Outcome } from '../../system/exit-code.ts';
import { reasonOf } from '../../system/failure.ts';
import { faultPoint } from '../../system/fault-point.ts';
import { makeFolder, writeDurably } from '../../system/files/durable-file.ts';
import type { Places } from '../../system/places.ts';
import { bringDataForward } from '../data/data-steps.ts';
import { findStack } from '../data/stack.ts';
import type { Device } from '../transaction/device.ts';
import { dropHold, releaseThisBoot } from '../transaction/hold.ts';
import { trialBoots } from '../transaction/transaction.ts';
import type { TransactionWriter } from '../transaction/transaction-writer.ts';
import { oweAttempt } from './deliberate-reboot.ts';
import { proveHealthy } from './prove-healthy.ts';
import { rollBack } from './rollback.ts';

/** systemd runs post-activate again when it failed or was killed. */
const mostRuns = 3;
/** The bootloader has the same limit, but starts counting again when a trial was interrupted after its slot was marked good. */
const mostBoots = 3;

/**
 * Tries the new version: migrates the data, starts the application, marks the slot good once it is healthy, else rolls back.
 */
export async function tryNewVersion(
  record: TransactionWriter,
  slots: Slots | undefined,
  device: Device,
): Promise<Outcome> {
  const { places, log, signal } = device;
  const { version, slot } = record.transaction.to;
  try {
    record.advance('trial');
  } catch (error) {
    signal.throwIfAborted();
    // Roll back all the same: the previous version runs without a record.
    return await rollBack(record, reasonOf(error), device);
  }
  oweAttempt(record, slots, device);
  log.info(`Trying version "${version ?? 'unknown'}" in slot "${slot ?? 'unknown'}"`);
  await faultPoint('trial:noted');
  const runs = countRun(places);
  if (runs > mostRuns)
    return await rollBack(record, `its trial was interrupted ${mostRuns} times in this boot`, device);
  if (trialBoots(record.transaction) > mostBoots)
    return await rollBack(record, `its trial was interrupted in ${mostBoots} boots`, device);

  const health = await migrateStartAndAsk(record, device);
  if (!health.isHealthy)
    return await rollBack(record, `version "${version}" is not healthy: ${health.reason}`, device);
  return await commit(record, device);
}

/** Counts this run of the trial and returns how many began in this boot. The file is below /run, so every reboot resets it. */
function countRun(places: Places): number {
  const file = join(places.run, 'trial-runs');
  const runs = readCount(file) + 1;
  try {
    makeFolder(places.run);
    writeDurably(file, `${runs}\n`);
  } catch {
    // Without the file only the limit on systemd's retries is lost; the boot attempts limit everything else.
  }
  return runs;
}

function readCount(file: string): number {
  try {
    return Number.parseInt(readFileSync(file, 'utf8'), 10) || 0;
  } catch {
    return 0;
  }
}

async function migrateStartAndAsk(record: TransactionWriter, device: Device): Promise<Health> {
  const { config, places, log, signal } = device;
  let schemaHeads: readonly string[] | undefined;
  try {
    const stack = await findStack(places.root, places.data, config, signal);
    if (stack !== undefined) schemaHeads = await bringDataForward(record, stack, device);
    releaseThisBoot(places);
    await faultPoint('trial:released');
    const { unit } = config.update;
    await log.step('Starting', 'Started', `"${unit}"`, () => startUnit(unit));
  } catch (error) {
    // systemd refuses to start units during a shutdown: that is no verdict on the version.
    signal.throwIfAborted();
    return { isHealthy: false, reason: reasonOf(error) };
  }
  return await proveHealthy(device, { baseline: baselineOf(record), schemaHeads });
}

function baselineOf({ transaction }: TransactionWriter): Baseline {
  return transaction.baseline === undefined ? {} : parseBaseline(transaction.baseline);
}

type Health = { isHealthy: true } | { isHealthy: false; reason: string };

async function commit(record: TransactionWriter, device: Device): Promise<Outcome> {
  const { places, log, signal } = device;
  const { slot, version } = record.transaction.to;
  await log.step('Marking', 'Marked', `slot "${slot ?? 'booted'}" good`, () => markGood(signal));
  await faultPoint('trial:marked-good');
  record.close('committed');
  dropHold(places);
  log.info(`Committed version "${version ?? 'unknown'}"`);
  await tidyUp(record, device);
  return 'done';
}

/** Only warns: a failure here costs disk space, and does not change the verdict. */
async function tidyUp({ transaction }: TransactionWriter, { config, log, signal }: Device): Promise<void> {
  const { keepBackups, backupBudgetMiB } = config.update;
  const inUse = [transaction.backup, transaction.dump, transaction.redis].flatMap((file) => file?.path ?? []);
  const budgetBytes = backupBudgetMiB === undefined ? undefined : backupBudgetMiB * 1024 * 1024;
  try {
    const { images } = transaction;
    if (images !== undefined) await pruneImages({ keep: [...images.from, ...images.to], log, signal });
  } catch (error) {
    log.warn(`Cannot remove old images: ${reasonOf(error)}`);
  }
  try {
    expireBackups(config.backupPath, { keep: keepBackups, budgetBytes, inUse, log });
  } catch (error) {
    log.warn(`Cannot remove old backups: ${reasonOf(error)}`);
  }
}
