import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { markActive } from '../../rauc/mark.ts';
import { reboot, stopUnit } from '../../stack/unit.ts';
import type { Outcome } from '../../system/exit-code.ts';
import { Failure, reasonOf } from '../../system/failure.ts';
import { writeDurably } from '../../system/files/durable-file.ts';
import { updateFolderOf } from '../../system/places.ts';
import type { Device } from '../transaction/device.ts';
import { holdNow } from '../transaction/hold.ts';
import { transactionFile } from '../transaction/transaction-store.ts';

const stopMs = 90_000;

/**
 * For a debt in a form that only the version in the other slot can read: holds the orchestrator, which must not run on
 * migrated data, and boots the other slot, once for each content of the transaction. Always throws.
 */
export async function sendBack(problem: string, device: Device): Promise<Outcome> {
  const { places, log, signal } = device;
  const advice =
    'The version in the other slot restores it; else restore a dump (update.sh restore), remove that file and reboot';
  log.error(`${problem}; it says that the update has changed the data`);
  holdNow(places);
  await tryToStop(device);
  const mark = join(updateFolderOf(places), 'sent-back');
  const digest = createHash('sha256')
    .update(readFileSync(transactionFile(places)))
    .digest('hex');
  if (readMark(mark) === digest)
    throw new Failure(`Cannot restore the data that an update has changed: ${problem}`, { advice });
  await log.step('Marking', 'Marked', 'the other slot active', () => markActive('other', signal));
  // Before the reboot: if this slot boots again, no other version has paid, and going back and forth must end.
  writeDurably(mark, `${digest}\n`);
  await reboot();
  throw new Failure(
    `Cannot restore the data that an update has changed: ${problem}; rebooting into the other slot`,
    {
      outcome: 'rolledBack',
      advice,
    },
  );
}

async function tryToStop({ config, log, signal }: Device): Promise<void> {
  try {
    await stopUnit(config.update.unit, stopMs, signal);
  } catch (error) {
    signal.throwIfAborted();
    log.warn(reasonOf(error));
  }
}

function readMark(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined;
  }
}
