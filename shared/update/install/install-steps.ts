import type { Config } from '../../config/config.ts';
import { type BundleInfo, inspectBundle } from '../../rauc/info.ts';
import { installBundle, RaucRefusal } from '../../rauc/install.ts';
import { Failure } from '../../system/failure.ts';
import { faultPoint } from '../../system/fault-point.ts';
import { bootId, type Places } from '../../system/places.ts';
import type { Lock } from '../../system/process/lock.ts';
import type { Running } from '../../system/process/program.ts';
import type { Download } from '../../transfer/download/download.ts';
import { requireAdmission } from '../admission/admit.ts';
import { noteRefusal } from '../admission/refusals.ts';
import { knownTransaction, readTransaction } from '../transaction/journal.ts';
import type { LiveProgress } from './live-progress.ts';
import { reasonOfHook, tidyUpFailed } from './tidy-up-failed.ts';

/** What every install does with a bundle that is here, whoever asked for it. */
export interface InstallWork {
  places: Places;
  config: Config;
  /** Also what was rolled back here. */
  isForced: boolean;
  progress: LiveProgress;
  signal: AbortSignal;
  /** Where the bundle comes from, for people. */
  source: string;
  running: Running;
  lock: Lock;
  /** RAUC's progress, for who else wants to hear of it. */
  onProgress?: ((percent: number, what: string) => void) | undefined;
}

/** A file, and where it is a copy of ours what to discard when it is damaged. */
export interface Copied {
  file: string;
  copy?: Download | undefined;
}

/** Hashing the bundle, writing the image and the hooks' own time, on a slow card. */
const installMs = 5 * 60 * 60_000;

/** Nothing reaches RAUC's installer that its own verification has not passed. */
export async function verifyBundle(
  { file, copy }: Copied,
  work: InstallWork,
): Promise<BundleInfo & { version: string }> {
  const { progress, signal } = work;
  progress.enter('verifying', `Verifying "${file}"`);
  try {
    const info = await progress.log.step('Verifying', 'Verified', `"${file}"`, () =>
      inspectBundle(file, signal),
    );
    return requireAdmission(file, info, work);
  } catch (error) {
    // What is damaged would be damaged the next time too: then it is fetched anew.
    if (error instanceof Failure && error.outcome === 'signature') {
      copy?.discard();
      noteRefused(error, work);
    }
    throw error;
  }
}

/** No transaction has begun: the history would know nothing of it. */
function noteRefused({ outcome, message }: Failure, { places, progress, source }: InstallWork): void {
  const at = new Date().toISOString();
  const refusal = { at, bootId: bootId(), outcome, source, version: null, reason: message };
  noteRefusal(places, refusal, progress.log);
}

/** The slot is written then, and tried at the next boot. Throws a Failure; a RaucRefusal where RAUC took it up and failed. */
export async function letRaucInstall(file: string, version: string, work: InstallWork): Promise<void> {
  const { places, progress, running, signal, lock } = work;
  running.allow(installMs);
  await faultPoint('install:verified');
  lock.note(version);
  progress.enter('installing', `Installing version "${version}"`, version);
  const onProgress = (percent: number, what: string): void => {
    progress.installed(percent, what);
    work.onProgress?.(percent, what);
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
    await tidyUpFailed(places, version, error, running);
    throw reason === undefined ? error : new Failure(`Cannot install "${file}": ${reason}`, { cause: error });
  }
}
