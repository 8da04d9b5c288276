import { BundleRefusal } from '../../rauc/bundle-refusal.ts';
import { type BundleInfo, inspectBundle } from '../../rauc/info.ts';
import { installBundle, RaucRefusal } from '../../rauc/install.ts';
import { Failure } from '../../system/failure.ts';
import { faultPoint } from '../../system/fault-point.ts';
import { bootId } from '../../system/places.ts';
import type { Download } from '../../transfer/download/download.ts';
import { requireAdmission } from '../admission/admit.ts';
import { logRefusal } from '../admission/refusal-log.ts';
import type { Device } from '../transaction/device.ts';
import { knownTransaction, readTransaction } from '../transaction/transaction-store.ts';
import type { LockedDevice } from '../transaction/update-lock.ts';
import type { LiveProgress } from './live-progress.ts';
import { reasonOfHook, tidyUpFailed } from './tidy-up-failed.ts';

/** How a bundle that is on the device is installed; update.sh and the fleet's agent use the same steps. */
export interface InstallOptions {
  /** Also installs a version that was rolled back here. */
  isForced: boolean;
  progress: LiveProgress;
  /** Where the bundle comes from, for people. */
  source: string;
  /** Also gets RAUC's progress; the fleet agent reports it to the server. */
  onProgress?: ((percent: number, what: string) => void) | undefined;
}

/** A bundle file. `copy` is set where the file is our own copy, which is discarded when it is damaged. */
export interface Copied {
  file: string;
  copy?: Download | undefined;
}

/** Time to hash the bundle, write the image and run the hooks, on a slow card. */
const installMs = 5 * 60 * 60_000;

/** RAUC's installer gets only a bundle that has passed RAUC's own verification. Throws a Failure. */
export async function verifyBundle(
  { file, copy }: Copied,
  options: InstallOptions,
  device: Device,
): Promise<BundleInfo & { version: string }> {
  const { progress } = options;
  progress.enter('verifying', `Verifying "${file}"`);
  try {
    const info = await progress.log.step('Verifying', 'Verified', `"${file}"`, () =>
      inspectBundle(file, device.signal),
    );
    return requireAdmission(file, info, options, device);
  } catch (error) {
    // Discard the damaged copy, so that the next run fetches the bundle again.
    if (error instanceof BundleRefusal && error.isOfFile) copy?.discard();
    if (error instanceof Failure && error.outcome === 'signature') noteRefused(error, options, device);
    throw error;
  }
}

/** No transaction has begun, so the history would not contain the refusal. */
function noteRefused(
  { outcome, message }: Failure,
  { progress, source }: InstallOptions,
  { places }: Device,
): void {
  const at = new Date().toISOString();
  const refusal = { at, bootId: bootId(), outcome, source, version: null, reason: message };
  logRefusal(places, refusal, progress.log);
}

/** Afterwards the slot is written, and the next boot tries it. Throws a Failure; a RaucRefusal where RAUC's install failed. */
export async function letRaucInstall(
  file: string,
  version: string,
  options: InstallOptions,
  device: LockedDevice,
): Promise<void> {
  const { progress } = options;
  const { places, signal, lock } = device;
  device.allow(installMs);
  await faultPoint('install:verified');
  lock.note(version);
  progress.enter('installing', `Installing version "${version}"`, version);
  const onProgress = (percent: number, what: string): void => {
    progress.installed(percent, what);
    options.onProgress?.(percent, what);
  };
  const before = knownTransaction(readTransaction(places))?.id;
  try {
    await progress.log.step('Installing', 'Installed', `version "${version}"`, () =>
      installBundle(file, { onProgress, signal }),
    );
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof RaucRefusal)) throw error;
    const reason = error.isOfSlotHook ? reasonOfHook(places, before) : undefined;
    await tidyUpFailed(version, error, device);
    throw reason === undefined ? error : new Failure(`Cannot install "${file}": ${reason}`, { cause: error });
  }
}
