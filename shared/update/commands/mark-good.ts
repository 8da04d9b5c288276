import { markGood } from '../../rauc/mark.ts';
import type { Outcome } from '../../system/exit-code.ts';
import { Failure } from '../../system/failure.ts';
import { bootId, findPlaces, logFileOf, type Places } from '../../system/places.ts';
import type { Running } from '../../system/process/program.ts';
import type { Values } from '../../system/terminal/arguments.ts';
import type { Log } from '../../system/terminal/log.ts';
import { readRelease } from '../slot/release.ts';
import { requireIdle, takeFreeUpdaterLock } from '../transaction/install-lock.ts';
import { isOnTrial } from '../transaction/on-trial.ts';
import { transactionForRecovery } from '../transaction/recovery.ts';

/** Refills the attempts of the running slot. Throws a Failure during a trial: its verdict is about the data, too. */
export async function markGoodByHand(values: Values, running: Running): Promise<Outcome> {
  const { log, undo, signal } = running;
  const places = findPlaces({ data: values.text('data') });
  if (values.flag('dry-run')) {
    requireIdle(places);
    requireNoTrial(places, log);
    log.info('Would mark the booted slot good, which gives it its boot attempts back');
    return 'done';
  }
  log.alsoTo(logFileOf(places));
  const lock = await takeFreeUpdaterLock(places, running);
  undo.owe('release the lock', () => lock.release());
  requireNoTrial(places, log);
  await log.step('Marking', 'Marked', 'the booted slot good', () => markGood(signal));
  return 'done';
}

function requireNoTrial(places: Places, log: Log): void {
  const facts = { bootId: bootId(), runningVersion: readRelease(places.root) };
  if (!isOnTrial(transactionForRecovery(places, log), facts)) return;
  throw new Failure('Cannot mark the slot good: an update is on trial in it', {
    outcome: 'tryLater',
    advice:
      'post-activate commits it once it is healthy; "systemctl start homie-post-activate" asks it again',
  });
}
