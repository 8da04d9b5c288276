import { type BundleInfo, inspectBundle } from '../../rauc/info.ts';
import { installBundle, RaucRefusal } from '../../rauc/install.ts';
import type { Values } from '../../system/arguments.ts';
import { waitForClock } from '../../system/clock.ts';
import { readConfig } from '../../system/config.ts';
import type { Outcome } from '../../system/exit-code.ts';
import { Failure, reasonOf } from '../../system/failure.ts';
import type { Lock } from '../../system/lock.ts';
import { bootId, findPlaces, logFileOf } from '../../system/places.ts';
import type { Running } from '../../system/program.ts';
import { nameOf, parseSource } from '../../transfer/source.ts';
import { requireAdmission, requireStanding } from '../admit.ts';
import { answeredSlots } from '../answered-slots.ts';
import { tellExpiredInhibit } from '../inhibit.ts';
import { takeUpdaterLock } from '../install-lock.ts';
import { knownTransaction, readTransaction } from '../journal.ts';
import { writeLastInstall } from '../last-install.ts';
import { LiveProgress } from '../live-progress.ts';
import { type Obtained, type ObtainWork, obtainBundle } from '../obtain-bundle.ts';
import { planInstall } from '../plan-install.ts';
import { carryOutReboot, rebootPlanOf } from '../reboot-after.ts';
import { noteRefusal } from '../refusals.ts';
import { readRelease } from '../release.ts';
import { requireWindow, tellWindow } from '../schedule.ts';
import { oweNews } from '../tell-news.ts';
import { reasonOfHook, tidyUpFailed } from '../tidy-up-failed.ts';
import { tellRunsAlready, tellUnchanged } from '../unchanged.ts';

/** Over a line that is bad all day and all night. */
const fetchMs = 24 * 60 * 60_000;
/** Hashing the bundle, writing the image and the hooks' own time, on a slow card. */
const installMs = 5 * 60 * 60_000;

type Bundle = Extract<Obtained, { kind: 'bundle' }>;

interface Install extends ObtainWork {
  /** Where the bundle comes from, for people. */
  source: string;
  running: Running;
  lock: Lock;
}

/**
 * Gets the bundle from wherever it is, verifies it, asks the same questions as install-check, and lets RAUC install; the
 * slot is tried at the next boot.
 */
export async function install(values: Values, running: Running): Promise<Outcome> {
  const { log, undo, signal } = running;
  const places = findPlaces({ data: values.text('data') });
  const config = readConfig(places);
  const source = parseSource(values.text('source') ?? config.update.url);
  const isForced = values.flag('force');
  const limitRateKiB = readRate(values);
  running.allow(fetchMs);
  const isNow = values.flag('now');
  // Wrong words are answered before anything is done.
  rebootPlanOf(values.text('reboot'), config, new Date());
  if (values.flag('dry-run')) {
    const outcome = await planInstall(source, { places, config, isForced, running });
    if (!isNow) tellWindow(config, new Date(), log);
    return outcome;
  }

  const lock = takeUpdaterLock(places);
  undo.owe('release the lock', () => lock.release());
  log.alsoTo(logFileOf(places));
  oweNews(places, running);
  tellExpiredInhibit(places, new Date(), log);
  const progress = new LiveProgress(places, log, nameOf(source));
  undo.owe('tell the end', (reason) => progress.failUnlessDone(reason));
  const work = {
    places,
    config,
    isForced,
    limitRateKiB,
    progress,
    signal,
    running,
    lock,
    source: nameOf(source),
  };

  requireStanding(nameOf(source), places);
  // Between RAUC's hooks nobody has the lock.
  await answeredSlots(running);
  await waitForClock({ log: progress.log, signal });
  const bundle = await obtainBundle(source, work);
  if (bundle.kind === 'unchanged') return tellUnchanged(bundle.last, work);
  if (bundle.isPassing) undo.owe('remove the copy of the bundle', () => bundle.copy?.discard());
  const { version } = await verify(bundle, work);
  if (bundle.origin !== undefined && !isForced && version === readRelease(places.root)) {
    putAway(bundle, version, work);
    return tellRunsAlready(version, work);
  }
  // What is fetched stays: inside the window nothing has to come over the line any more.
  if (!isNow) requireWindow(config, new Date());
  await letRaucInstall(bundle, version, work);

  putAway(bundle, version, work);
  progress.done('rebootNeeded', `Version "${version}" is installed, a reboot tries it`);
  await rebootIntoIt(values, version, work);
  return 'rebootNeeded';
}

/** The install is done, whatever becomes of the reboot. */
async function rebootIntoIt(values: Values, version: string, { config, progress }: Install): Promise<void> {
  const { log } = progress;
  try {
    const plan = rebootPlanOf(values.text('reboot'), config, new Date());
    await carryOutReboot(plan, version, log);
  } catch (error) {
    log.warn(reasonOf(error));
    log.info('Reboot to try it: "systemctl reboot"');
  }
}

/** Nothing reaches RAUC's installer that its own verification has not passed. */
async function verify(bundle: Bundle, work: Install): Promise<BundleInfo & { version: string }> {
  const { progress, signal } = work;
  const { file } = bundle;
  progress.enter('verifying', `Verifying "${file}"`);
  try {
    const info = await progress.log.step('Verifying', 'Verified', `"${file}"`, () =>
      inspectBundle(file, signal),
    );
    return requireAdmission(file, info, work);
  } catch (error) {
    // What is damaged would be damaged the next time too: then it is fetched anew.
    if (error instanceof Failure && error.outcome === 'signature') {
      bundle.copy?.discard();
      noteRefused(error, work);
    }
    throw error;
  }
}

/** No transaction has begun: the history would know nothing of it. */
function noteRefused({ outcome, message }: Failure, { places, progress, source }: Install): void {
  const at = new Date().toISOString();
  const refusal = { at, bootId: bootId(), outcome, source, version: null, reason: message };
  noteRefusal(places, refusal, progress.log);
}

async function letRaucInstall({ file }: Bundle, version: string, work: Install): Promise<void> {
  const { places, progress, running, signal, lock } = work;
  running.allow(installMs);
  lock.note(version);
  progress.enter('installing', `Installing version "${version}"`, version);
  const onProgress = (percent: number, what: string): void => progress.installed(percent, what);
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

/** What is done is done: without the note it is only fetched once too often. */
function putAway({ origin, copy }: Bundle, version: string, { places, progress }: Install): void {
  try {
    if (origin !== undefined) writeLastInstall(places, { ...origin, version, at: new Date().toISOString() });
    copy?.discard();
  } catch (error) {
    progress.log.warn(`Cannot note the install: ${reasonOf(error)}`);
  }
}

function readRate(values: Values): number | undefined {
  const rate = values.number('limit-rate');
  if (rate !== undefined && rate < 1)
    throw new Failure('Cannot read --limit-rate: expected a number of KiB a second, from 1', {
      outcome: 'usage',
    });
  return rate;
}
