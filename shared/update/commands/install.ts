import { requireUrl } from '../../config/config.ts';
import type { Outcome } from '../../system/exit-code.ts';
import { Failure, reasonOf } from '../../system/failure.ts';
import { logFileOf, type Places } from '../../system/places.ts';
import { waitForClock } from '../../system/process/clock.ts';
import type { Running } from '../../system/process/program.ts';
import type { Values } from '../../system/terminal/arguments.ts';
import type { Log } from '../../system/terminal/log.ts';
import { nameOf, parseSource } from '../../transfer/source/source.ts';
import { requireStanding } from '../admission/admit.ts';
import { tellExpiredInhibit } from '../admission/inhibit.ts';
import { type InstallOptions, letRaucInstall, verifyBundle } from '../install/install-steps.ts';
import { writeLastInstalled } from '../install/last-installed.ts';
import { LiveProgress } from '../install/live-progress.ts';
import { type Obtained, type ObtainOptions, obtainBundle } from '../install/obtain-bundle.ts';
import { planInstall } from '../install/plan-install.ts';
import { tellRunsAlready, tellUnchanged } from '../install/unchanged.ts';
import { oweNotifications } from '../report/notifications.ts';
import { carryOutReboot, rebootPlanOf } from '../schedule/reboot-after.ts';
import { requireWindow, tellWindow } from '../schedule/schedule.ts';
import { readRelease } from '../slot/release.ts';
import { type Device, openDevice, withConfigToInstall } from '../transaction/device.ts';
import { takeFreeUpdaterLock } from '../transaction/update-lock.ts';

/** Enough for a download over a connection that is bad all day and all night. */
const fetchMs = 24 * 60 * 60_000;

type Bundle = Extract<Obtained, { kind: 'bundle' }>;

/**
 * Gets the bundle from its source, verifies it, makes the same checks as install-check, and lets RAUC install it. The next boot
 * tries the slot.
 */
export async function install(values: Values, running: Running): Promise<Outcome> {
  const device = withConfigToInstall(openDevice(values, running));
  const { places, config, log, undo, signal } = device;
  const source = parseSource(values.text('source') ?? requireUrl(config));
  const isForced = values.flag('force');
  const limitRateKiB = readRate(values);
  device.allow(fetchMs);
  const isNow = values.flag('now');
  // Reject a wrong --reboot before anything is done.
  rebootPlanOf(values.text('reboot'), config, new Date());
  if (values.flag('dry-run')) {
    const outcome = await planInstall(source, isForced, device);
    if (!isNow) tellWindow(config, new Date(), log);
    return outcome;
  }

  // Write to the log file first: it must also record why an install without an operator was refused.
  log.alsoTo(logFileOf(places));
  const lock = await takeFreeUpdaterLock(device);
  oweNotifications(device);
  tellExpiredInhibit(places, new Date(), log);
  const progress = new LiveProgress(places, log, nameOf(source));
  undo.owe('tell the end', (reason) => progress.failUnlessDone(reason));
  const options: ObtainOptions & InstallOptions = {
    isForced,
    limitRateKiB,
    progress,
    source: nameOf(source),
  };

  requireStanding(nameOf(source), places);
  await waitForClock({ log: progress.log, signal });
  const bundle = await obtainBundle(source, options, device);
  if (bundle.kind === 'unchanged') return tellUnchanged(bundle.last, places, progress);
  if (bundle.isPassing) undo.owe('remove the copy of the bundle', () => bundle.copy?.discard());
  const { version } = await verifyBundle(bundle, options, device);
  if (bundle.origin !== undefined && !isForced && version === readRelease(places.root)) {
    putAway(bundle, version, places, progress.log);
    return tellRunsAlready(version, progress);
  }
  // Outside the window the downloaded bundle is kept: inside the window nothing has to be downloaded any more.
  if (!isNow) requireWindow(config, new Date());
  await letRaucInstall(bundle.file, version, options, { ...device, lock });

  putAway(bundle, version, places, progress.log);
  progress.done('rebootNeeded', `Version "${version}" is installed, a reboot tries it`);
  await rebootIntoIt(values, version, { ...device, log: progress.log });
  return 'rebootNeeded';
}

/** Only warns when the reboot fails: the install is done. */
async function rebootIntoIt(values: Values, version: string, { config, log }: Device): Promise<void> {
  try {
    const plan = rebootPlanOf(values.text('reboot'), config, new Date());
    await carryOutReboot(plan, version, log);
  } catch (error) {
    log.warn(reasonOf(error));
    log.info('Reboot to try it: "systemctl reboot"');
  }
}

/** Only warns on failure: the install is done, and without the note the bundle is only downloaded once more. */
function putAway({ origin, copy }: Bundle, version: string, places: Places, log: Log): void {
  try {
    if (origin !== undefined)
      writeLastInstalled(places, { ...origin, version, at: new Date().toISOString() });
    copy?.discard();
  } catch (error) {
    log.warn(`Cannot note the install: ${reasonOf(error)}`);
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
