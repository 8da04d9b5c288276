import { readBundleFacts } from '../shared/rauc/bundle-facts.ts';
import { readHookEnvironment, slotMountOf } from '../shared/rauc/hook-environment.ts';
import { reasonOf } from '../shared/system/failure.ts';
import { faultPoint } from '../shared/system/fault-point.ts';
import { logFileOf, type Places } from '../shared/system/places.ts';
import type { Log } from '../shared/system/terminal/log.ts';
import { fetchImages } from '../shared/update/install/fetch-images.ts';
import { migrateEarly } from '../shared/update/install/migrate-early.ts';
import { carryIdentity } from '../shared/update/slot/device-identity.ts';
import { readRelease } from '../shared/update/slot/release.ts';
import { isTimerEnabledIn, writeSlotContent } from '../shared/update/slot/slot-content.ts';
import { openDevice, withConfigToInstall } from '../shared/update/transaction/device.ts';
import { holdNextBoot, holdNow } from '../shared/update/transaction/hold.ts';
import { isVerdict, needsRestore, type Release, stateOf } from '../shared/update/transaction/transaction.ts';
import { knownTransaction, readTransaction } from '../shared/update/transaction/transaction-store.ts';
import { TransactionWriter } from '../shared/update/transaction/transaction-writer.ts';
import { takeInstallLock, type UpdateLock } from '../shared/update/transaction/update-lock.ts';
import { type Hook, hookFiles, hookOptions } from './hook.ts';

/** Time to copy the programs onto a slow card, after the images are fetched. */
const writingMs = 900_000;

const plannedMigration =
  'Would migrate the database, with the orchestrator stopped until the reboot, where the new version has a new schema';

/** Runs after RAUC wrote the slot: gives it the programs and units that belong to this bundle. */
export const postInstall: Hook = {
  spec: {
    name: 'post-install',
    summary: 'fetch the images of the new version, put the programs of this bundle into the new slot',
    commands: [{ summary: 'Fit the new slot for its first boot', options: hookOptions }],
    examples: [['$0 --bundle /mnt --slot-mount /mnt/slot', 'Do it by hand for a slot mounted at /mnt/slot']],
    files: hookFiles,
    notes: 'RAUC calls it as the hook slot-post-install. Run again, it leaves the same.',
  },
  deadlineMs: 900_000,

  async story(_command, values, running) {
    const bare = openDevice(values, running);
    const { places, log, undo } = bare;
    const place = readHookEnvironment({
      bundle: values.text('bundle'),
      slotMount: values.text('slot-mount'),
    });
    const slotMount = slotMountOf(place);
    const bundle = readBundleFacts(place.bundle);
    const device = withConfigToInstall(bare);
    const { config } = device;
    const to = { version: bundle.version, slot: place.slotName ?? null };
    if (values.flag('dry-run')) {
      log.info("Would fetch the images that the new slot's compose file names, where they are not here yet");
      log.info(`Would put the programs and units of version "${bundle.version}" into "${slotMount}"`);
      if (config.update.migrateIn === 'post-install') log.info(plannedMigration);
      log.info('Would note the version as installed, to be tried at the next boot');
      return 'done';
    }

    log.alsoTo(logFileOf(places));
    const lock = takeInstallLock(device, 'post-install', bundle.version);
    const record = resumeOrOpen(lock, to, log);
    undo.owe('close the transaction', (reason) => record.failUnlessDone(reason));
    await faultPoint('post-install:opened');
    device.allow(config.update.pullDeadlineSeconds * 1000 + writingMs);
    await fetchImages(record, { slotMount, bundle: place.bundle }, device);
    await faultPoint('post-install:images');

    const content = {
      executable: process.execPath,
      version: bundle.version,
      unit: config.update.unit,
      // A user who enabled the timer by hand wants it in the next slot, too.
      isTimerEnabled: config.update.timer ?? isTimerEnabledIn(places.root),
      isAgentEnabled: config.update.fleet !== undefined,
    };
    await log.step('Writing', 'Wrote', `programs and units into slot "${to.slot ?? slotMount}"`, async () =>
      writeSlotContent(slotMount, content),
    );
    carryOver(places, slotMount, log);
    await faultPoint('post-install:written');
    if (config.update.migrateIn === 'post-install') {
      if (place.isCalledByRauc) await migrateEarly(record, slotMount, device);
      else
        log.warn(
          'Not called by RAUC, so the time of the reboot is unknown: the migration is done during the trial',
        );
    }
    if (needsRestore(record.transaction)) holdNow(places);
    else holdNextBoot(places);
    await faultPoint('post-install:held');
    record.advance('installed');
    log.info(`Version "${bundle.version}" is installed and will be tried at the next boot`);
    return 'done';
  },
};

/** A failure here is logged, and does not stop the update. */
function carryOver(places: Places, slotMount: string, log: Log): void {
  try {
    const carried = carryIdentity(places.root, slotMount);
    if (carried.length > 0) log.info(`Carried over the identity of the device: ${carried.join(', ')}`);
  } catch (error) {
    log.warn(`Cannot carry over the identity of the device: ${reasonOf(error)}`);
  }
}

/** pre-install opened the transaction; where it did not run (a bundle without the hook, a call by hand), open it here. */
function resumeOrOpen(lock: UpdateLock, to: Release, log: Log): TransactionWriter {
  const { places } = lock;
  const transaction = knownTransaction(readTransaction(places));
  const isOurs =
    transaction?.isClosed === false &&
    !isVerdict(stateOf(transaction)) &&
    transaction.to.version === to.version &&
    transaction.to.slot === to.slot;
  if (transaction !== undefined && isOurs) return TransactionWriter.resume(lock, transaction);
  return TransactionWriter.open(lock, { version: readRelease(places.root) ?? null, slot: null }, to, log);
}
