import { markGood } from '../../rauc/mark.ts';
import type { Outcome } from '../../system/exit-code.ts';
import { Failure } from '../../system/failure.ts';
import { bootId, logFileOf } from '../../system/places.ts';
import type { Running } from '../../system/process/program.ts';
import type { Values } from '../../system/terminal/arguments.ts';
import { readRelease } from '../slot/release.ts';
import { type BareDevice, openDevice } from '../transaction/device.ts';
import { isOnTrial } from '../transaction/on-trial.ts';
import { transactionForRecovery } from '../transaction/transaction-store.ts';
import { requireFree, takeFreeUpdaterLock } from '../transaction/update-lock.ts';

/** Refills the attempts of the running slot. Throws a Failure during a trial: its verdict is about the data, too. */
export async function markGoodByHand(values: Values, running: Running): Promise<Outcome> {
  const device = openDevice(values, running);
  const { places, log, signal } = device;
  if (values.flag('dry-run')) {
    await requireFree(device);
    requireNoTrial(device);
    log.info('Would mark the booted slot good, which gives it its boot attempts back');
    return 'done';
  }
  log.alsoTo(logFileOf(places));
  await takeFreeUpdaterLock(device);
  requireNoTrial(device);
  await log.step('Marking', 'Marked', 'the booted slot good', () => markGood(signal));
  return 'done';
}

function requireNoTrial(device: BareDevice): void {
  const facts = { bootId: bootId(), runningVersion: readRelease(device.places.root) };
  if (!isOnTrial(transactionForRecovery(device), facts)) return;
  throw new Failure('Cannot mark the slot good: an update is on trial in it', {
    outcome: 'tryLater',
    advice:
      'post-activate commits it once it is healthy; "systemctl start homie-post-activate" checks it again',
  });
}
