import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { inspectBundle } from '../../rauc/info.ts';
import { installBundle, RaucRefusal } from '../../rauc/install.ts';
import { readSlots } from '../../rauc/status.ts';
import type { Values } from '../../system/arguments.ts';
import { readConfig } from '../../system/config.ts';
import type { Outcome } from '../../system/exit-code.ts';
import { Failure, reasonOf } from '../../system/failure.ts';
import { findPlaces, logFileOf, type Places } from '../../system/places.ts';
import type { Running } from '../../system/program.ts';
import { gatherAdmissionFacts } from '../admission-facts.ts';
import { decideAdmission } from '../decide-admission.ts';
import { takeUpdaterLock } from '../install-lock.ts';
import { knownTransaction, readTransaction } from '../journal.ts';
import { mendFallback } from '../put-fallback-back.ts';
import { UpdateRecord } from '../record.ts';
import { isVerdict, stateOf } from '../transaction.ts';

/** Hashing the bundle, writing the image and the hooks' own time, on a slow card. */
const installMs = 5 * 60 * 60_000;

/** Verifies, asks the same questions as install-check, and lets RAUC install; the slot is tried at the next boot. */
export async function install(values: Values, running: Running): Promise<Outcome> {
  const { log, undo, signal } = running;
  const file = resolve(values.text('file') ?? '');
  requireFile(file);
  const places = findPlaces({ data: values.text('data') });
  const config = readConfig(places);
  running.allow(installMs);

  const info = await log.step('Verifying', 'Verified', `"${file}"`, () => inspectBundle(file, signal));
  const version = info.version ?? '';
  const bundle = { compatible: info.compatible, version, architecture: undefined, imageBytes: undefined };
  const refusal = decideAdmission(gatherAdmissionFacts(bundle, undefined, places, config));
  if (refusal !== undefined) {
    const { outcome, reason, advice } = refusal;
    throw new Failure(`Cannot install "${file}": ${reason}`, { outcome, advice });
  }
  if (values.flag('dry-run')) {
    log.info(`Would install version "${version}" from "${file}"`);
    return 'done';
  }

  log.alsoTo(logFileOf(places));
  const lock = takeUpdaterLock(places);
  undo.owe('release the lock', () => lock.release());
  lock.note(version);
  const onProgress = (percent: number, what: string): void => log.info(`${percent}% ${what}`);
  try {
    await log.step('Installing', 'Installed', `version "${version}"`, () =>
      installBundle(file, { onProgress, signal }),
    );
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof RaucRefusal) await tidyUpFailed(places, version, error, running);
    throw error;
  }
  log.info('Reboot to try it: "systemctl reboot"');
  return 'rebootNeeded';
}

function requireFile(file: string): void {
  try {
    if (statSync(file).isFile()) return;
  } catch (error) {
    throw new Failure(`Cannot install "${file}": ${reasonOf(error)}`, { outcome: 'usage' });
  }
  throw new Failure(`Cannot install "${file}": it is not a file`, { outcome: 'usage' });
}

/**
 * No hook is called when RAUC fails after one: without this the update would stand as "installing" until the next
 * boot. RAUC may fail with the new slot active already (its system handler after the install); then that is tried.
 * Where it failed before it wrote anything, the fallback slot is whole, and put back.
 */
async function tidyUpFailed(
  places: Places,
  version: string,
  error: RaucRefusal,
  running: Running,
): Promise<void> {
  const { log, signal } = running;
  const transaction = knownTransaction(readTransaction(places));
  if (transaction === undefined || transaction.to.version !== version) return;
  const isOver = transaction.isClosed || isVerdict(stateOf(transaction));
  if (isOver && stateOf(transaction) !== 'failed') return;
  try {
    const slots = await readSlots(signal);
    if (slots.booted === undefined || slots.primary !== slots.booted) return;
    if (!isOver) UpdateRecord.resume(places, transaction).close('failed', error.raucReason);
    await mendFallback(places, slots, running);
  } catch (problem) {
    log.warn(`Cannot close the failed update, the next boot does: ${reasonOf(problem)}`);
  }
}
