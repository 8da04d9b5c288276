import { pause } from '../system/deadline.ts';
import type { Outcome } from '../system/exit-code.ts';
import { Failure, reasonOf } from '../system/failure.ts';
import { faultPoint } from '../system/fault-point.ts';
import type { Log } from '../system/terminal/log.ts';
import type { DdiLine } from '../transfer/request/ddi-line.ts';
import type { FleetAction } from './action.ts';
import type { Step } from './decide-step.ts';
import { type Deployment, isOffer, parseBase, parseDeployment } from './deployment.ts';
import type { FleetDevice } from './device.ts';
import { closed, downloaded, proceeding, scheduled } from './feedback.ts';
import type { FeedbackSender } from './feedback-sender.ts';
import { intervalMs } from './polling.ts';

export interface StepWork {
  line: DdiLine;
  device: FleetDevice;
  reporter: FeedbackSender;
  log: Log;
  signal: AbortSignal;
  /** The action as the server describes it now; undefined where the server no longer names it. */
  offer: Deployment | undefined;
}

/** Does one step, and notes it in the action; undefined where the next step has to wait for the next round. */
export async function carryOutStep(
  step: Step,
  action: FleetAction,
  work: StepWork,
): Promise<FleetAction | undefined> {
  const { device, reporter, log, offer } = work;
  const note = (changes: Partial<FleetAction>): FleetAction => {
    const next = { ...action, ...changes };
    device.writeAction(next);
    return next;
  };
  switch (step.kind) {
    case 'none':
      return undefined;
    case 'wait':
      if (action.waitsFor === step.reason) return undefined;
      log.info(`Action ${action.actionId} waits: ${step.reason}`);
      reporter.tell(scheduled(action.actionId, `Waiting: ${step.reason}`));
      note({ waitsFor: step.reason });
      return undefined;
    case 'fetch':
      return offer === undefined ? undefined : await fetch(action, offer, work);
    case 'fetch-again':
      return note({ stage: 'fetching' });
    case 'back-to-fetched':
      return note({ stage: 'fetched' });
    case 'tell-fetched':
      await reporter.tellNow(downloaded(action.actionId, 'The bundle is on the device'));
      return note({ isFetchTold: true, waitsFor: null });
    case 'install':
      return offer === undefined ? undefined : await install(action, offer, work);
    case 'note-installed':
      return note({ stage: 'installed' });
    case 'tell-installed':
      await reporter.tellNow(
        proceeding(action.actionId, `Version "${action.version}" is installed, a reboot tries it`),
      );
      return note({ isInstallTold: true });
    case 'reboot':
      return await reboot(action, work);
    case 'close':
      log.info(`Action ${action.actionId} has ended: ${step.reason}`);
      return note({ stage: 'closing', verdict: { isSuccess: step.isSuccess, reason: step.reason } });
    case 'tell-closed': {
      const verdict = action.verdict ?? { isSuccess: false, reason: 'its result is unknown' };
      await reporter.tellNow(closed(action.actionId, verdict, device.logTail()));
      await faultPoint('agent:told-closed');
      note({ stage: 'closed', verdict });
      return undefined;
    }
  }
}

/** The reason for ending a fetch whose action the server has cancelled. */
class Cancelled extends Failure {
  constructor() {
    super('Cannot continue the download: the server cancels it', { outcome: 'tryLater' });
  }
}

async function fetch(
  action: FleetAction,
  offer: Deployment,
  work: StepWork,
): Promise<FleetAction | undefined> {
  const { device, reporter, log, signal } = work;
  const stop = new AbortController();
  const watching = watchForCancel(action, work, stop);
  reporter.beginPercents();
  try {
    await device.fetch(offer.artifact, {
      onPercent: (percent, what) =>
        reporter.tellPercent(percent, () => proceeding(action.actionId, what, percent)),
      signal: AbortSignal.any([signal, stop.signal]),
    });
  } catch (error) {
    signal.throwIfAborted();
    // The server no longer serves the bundle of a cancelled action: that is no failure of the action.
    return (await isWanted(work)) ? giveUpOrWait(error, action, work) : undefined;
  } finally {
    stop.abort(new Cancelled());
    await watching;
  }
  log.info(`The bundle of action ${action.actionId} is here`);
  const next: FleetAction = { ...action, stage: 'fetched', waitsFor: null };
  device.writeAction(next);
  return next;
}

/** Whether the server still wants the action; true where the server does not answer. */
async function isWanted({ line, signal }: StepWork): Promise<boolean> {
  try {
    const { links } = parseBase(await line.get());
    return links.cancelAction === undefined && links.deploymentBase !== undefined;
  } catch {
    signal.throwIfAborted();
    return true;
  }
}

const longestWatchMs = 15_000;

/** Ends the fetch on a cancel. Asks the server at its own interval, and at least four times a minute. */
async function watchForCancel(action: FleetAction, work: StepWork, stop: AbortController): Promise<void> {
  const { line, log } = work;
  let pauseMs = longestWatchMs;
  for (;;) {
    try {
      await pause(pauseMs, stop.signal);
      const { links, sleep } = parseBase(await line.get());
      pauseMs = Math.min(longestWatchMs, intervalMs(sleep));
      if (links.cancelAction === undefined && links.deploymentBase !== undefined) continue;
      log.info(`The server no longer wants action ${action.actionId}: ending the fetch`);
      stop.abort(new Cancelled());
      return;
    } catch (error) {
      if (stop.signal.aborted || work.signal.aborted) return;
      // This must not end the fetch, which itself finds out whether the connection works.
      log.warn(`Cannot ask whether it is cancelled: ${reasonOf(error)}`);
    }
  }
}

async function install(
  action: FleetAction,
  offer: Deployment,
  work: StepWork,
): Promise<FleetAction | undefined> {
  const { device, reporter, line, signal } = work;
  // The last check for a cancel, or for a window that has closed.
  const { links } = parseBase(await line.get());
  if (links.cancelAction !== undefined || links.deploymentBase === undefined) return undefined;
  const now = parseDeployment(await line.get(links.deploymentBase));
  if (!isOffer(now) || now.actionId !== action.actionId || now.update !== offer.update) return undefined;

  let current = action;
  const note = (changes: Partial<FleetAction>): void => {
    current = { ...current, ...changes };
    device.writeAction(current);
  };
  reporter.beginPercents();
  try {
    const end = await device.install(offer, {
      onBegin: (version) =>
        note({
          stage: 'installing',
          version,
          before: device.lastTransaction(),
          installTries: action.installTries + 1,
          waitsFor: null,
        }),
      onPercent: (percent, what) =>
        reporter.tellPercent(percent, () => proceeding(action.actionId, what, percent)),
      signal,
    });
    if (end.kind === 'runs-already') {
      const reason = `version "${end.version}" runs already`;
      note({ stage: 'closing', version: end.version, verdict: { isSuccess: true, reason } });
      return current;
    }
  } catch (error) {
    signal.throwIfAborted();
    return await afterFailedInstall(error, current, work);
  }
  await faultPoint('agent:installed');
  note({ stage: 'installed' });
  return current;
}

/** RAUC may have been interrupted: then the transaction is still open, and its state decides. */
async function afterFailedInstall(
  error: unknown,
  action: FleetAction,
  work: StepWork,
): Promise<FleetAction | undefined> {
  if (action.stage !== 'installing') return giveUpOrWait(error, action, work);
  const { transaction } = await work.device.stepFacts(action, work.offer);
  if (transaction !== undefined && !transaction.isClosed) {
    work.log.warn(reasonOf(error));
    return undefined;
  }
  return giveUpOrWait(error, action, work, { stage: 'fetched' });
}

/** The action is tried again later after these outcomes; after any other, it has failed. */
const passing: readonly Outcome[] = ['busy', 'tryLater', 'outsideWindow', 'inhibited'];

function giveUpOrWait(
  error: unknown,
  action: FleetAction,
  { device, reporter, log }: StepWork,
  back: Partial<FleetAction> = {},
): FleetAction | undefined {
  if (!(error instanceof Failure)) throw error;
  const reason = reasonOf(error);
  if (error instanceof Cancelled) return undefined;
  if (passing.includes(error.outcome)) {
    log.warn(reason);
    if (action.waitsFor !== reason) reporter.tell(scheduled(action.actionId, reason));
    device.writeAction({ ...action, ...back, waitsFor: reason });
    return undefined;
  }
  log.error(reason);
  device.discardDownload();
  const next: FleetAction = { ...action, stage: 'closing', verdict: { isSuccess: false, reason } };
  device.writeAction(next);
  return next;
}

/** Notes the reboot before scheduling it: it may come at any moment after that. */
async function reboot(action: FleetAction, { device, log, offer }: StepWork): Promise<undefined> {
  const { bootId } = await device.stepFacts(action, offer);
  device.writeAction({ ...action, rebootAskedIn: bootId, waitsFor: null });
  await faultPoint('agent:reboot-noted');
  try {
    await device.reboot(action.version);
  } catch (error) {
    log.warn(reasonOf(error));
    log.info('Reboot to try it: "systemctl reboot"');
  }
}
