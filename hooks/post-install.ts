import { readBundleFacts } from '../shared/rauc/bundle-facts.ts';
import { readHookEnvironment, slotMountOf } from '../shared/rauc/hook-environment.ts';
import { faultPoint } from '../shared/system/fault-point.ts';
import type { Log } from '../shared/system/log.ts';
import { findPlaces, logFileOf, type Places } from '../shared/system/places.ts';
import { takeInstallLock } from '../shared/update/install-lock.ts';
import { knownTransaction, readTransaction } from '../shared/update/journal.ts';
import { UpdateRecord } from '../shared/update/record.ts';
import { readRelease } from '../shared/update/release.ts';
import { writeSlotContent } from '../shared/update/slot-content.ts';
import type { Release } from '../shared/update/transaction.ts';
import { type Hook, hookOptions } from './hook.ts';

/** After RAUC wrote the slot: give it the programs and units that belong to this bundle. */
export const postInstall: Hook = {
  spec: {
    name: 'post-install',
    summary: 'put the update programs and units of this bundle into the new slot',
    commands: [{ summary: 'Fit the new slot for its first boot', options: hookOptions }],
    examples: [['$0 --bundle /mnt --slot-mount /mnt/slot', 'Do it by hand for a slot mounted at /mnt/slot']],
    notes: 'RAUC calls it as the hook slot-post-install. Run again, it leaves the same.',
  },
  deadlineMs: 900_000,

  async story(_command, values, { log, undo }) {
    const places = findPlaces({ data: values.text('data') });
    const place = readHookEnvironment({
      bundle: values.text('bundle'),
      slotMount: values.text('slot-mount'),
    });
    const slotMount = slotMountOf(place);
    const bundle = readBundleFacts(place.bundle);
    const to = { version: bundle.version, slot: place.slotName ?? null };
    if (values.flag('dry-run')) {
      log.info(`Would put the programs and units of version "${bundle.version}" into "${slotMount}"`);
      log.info('Would note the version as installed, to be tried at the next boot');
      return 'done';
    }

    log.alsoTo(logFileOf(places));
    const lock = takeInstallLock(places, 'post-install', bundle.version);
    undo.owe('release the lock', () => lock.release());
    const record = resumeOrOpen(places, to, log);
    undo.owe('close the transaction', (reason) => record.failUnlessDone(reason));
    await faultPoint('post-install:opened');

    await log.step('Writing', 'Wrote', `programs and units into slot "${to.slot ?? slotMount}"`, async () =>
      writeSlotContent(slotMount, process.execPath, bundle.version),
    );
    await faultPoint('post-install:written');
    record.advance('installed');
    log.info(`Version "${bundle.version}" is installed and will be tried at the next boot`);
    return 'done';
  },
};

/** pre-install opened it; where that did not run (a bundle without the hook, by hand) it is opened here. */
function resumeOrOpen(places: Places, to: Release, log: Log): UpdateRecord {
  const transaction = knownTransaction(readTransaction(places));
  const isOurs =
    transaction?.isClosed === false &&
    transaction.to.version === to.version &&
    transaction.to.slot === to.slot;
  if (transaction !== undefined && isOurs) return UpdateRecord.resume(places, transaction);
  return UpdateRecord.open(places, { version: readRelease(places.root) ?? null, slot: null }, to, log);
}
