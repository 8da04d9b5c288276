import type { State } from '../update/transaction/transaction.ts';
import type { FleetAction } from './action.ts';
import type { Deployment } from './deployment.ts';

/** The state of the install, from its transaction. */
export interface FoundTransaction {
  state: State;
  isClosed: boolean;
  reason: string | undefined;
}

/** The facts that decide the next step of an action. Gathering them changes nothing. */
export interface StepFacts {
  /** The transaction of this action; undefined where it has none yet. */
  transaction: FoundTransaction | undefined;
  /** Whether the complete bundle of the offer is on the device. */
  hasBundle: boolean;
  /** Whether RAUC is installing, also for another program. */
  isRaucBusy: boolean;
  /** Why no update may be fetched or installed at all; undefined where it may. */
  obstacle: string | undefined;
  /** Why it may not be installed at this time; undefined where it may. */
  installWindow: string | undefined;
  /** Why the agent may not reboot into it, now or at all; undefined where it may. */
  rebootWindow: string | undefined;
  consent: 'automatic' | 'ask';
  bootId: string;
}

export type Step =
  | { kind: 'wait'; reason: string }
  | { kind: 'fetch' }
  /** The bundle of the action is no longer on the device. */
  | { kind: 'fetch-again' }
  | { kind: 'tell-fetched' }
  | { kind: 'install' }
  | { kind: 'back-to-fetched' }
  /** RAUC has finished the install, but the action does not say so yet. */
  | { kind: 'note-installed' }
  | { kind: 'tell-installed' }
  | { kind: 'reboot' }
  | { kind: 'close'; isSuccess: boolean; reason: string }
  | { kind: 'tell-closed' }
  | { kind: 'none' };

/** An install that is interrupted this often, for example by power cuts, is abandoned. */
const mostInstalls = 3;

/** Decides the next step; `offer` is the server's present answer, undefined where it no longer names the action. */
export function decideStep(action: FleetAction, offer: Deployment | undefined, facts: StepFacts): Step {
  switch (action.stage) {
    case 'fetching':
      return decideFetch(action, offer, facts);
    case 'fetched':
      return decideInstall(action, offer, facts);
    case 'installing':
      return decideCutInstall(action, offer, facts);
    case 'installed':
      return decideInstalled(action, offer, facts);
    case 'closing':
      return { kind: 'tell-closed' };
    case 'closed':
      return { kind: 'none' };
  }
}

function decideFetch(action: FleetAction, offer: Deployment | undefined, facts: StepFacts): Step {
  if (offer === undefined) return { kind: 'none' };
  if (offer.download === 'skip') return wait('the server says not to download it yet');
  return decideConsent(action, offer.download, facts) ?? obstacleTo(facts) ?? { kind: 'fetch' };
}

function decideInstall(action: FleetAction, offer: Deployment | undefined, facts: StepFacts): Step {
  if (offer === undefined) return { kind: 'none' };
  if (!facts.hasBundle) return { kind: 'fetch-again' };
  if (!action.isFetchTold) return { kind: 'tell-fetched' };
  if (offer.maintenanceWindow === 'unavailable')
    return wait('the maintenance window of the server is closed');
  if (offer.update === 'skip') return wait('the server says not to install it yet');
  const inTheWay = decideConsent(action, offer.update, facts) ?? obstacleTo(facts);
  if (inTheWay !== undefined) return inTheWay;
  if (facts.installWindow !== undefined) return wait(facts.installWindow);
  return facts.isRaucBusy ? wait('RAUC is busy with another install') : { kind: 'install' };
}

/** The agent was killed, or the board went down, while RAUC was installing. */
function decideCutInstall(
  { installTries }: FleetAction,
  offer: Deployment | undefined,
  facts: StepFacts,
): Step {
  const { transaction, isRaucBusy } = facts;
  if (isRaucBusy) return wait('RAUC installs it');
  const isThrough = transaction !== undefined && transaction.state !== 'failed' && !isUnfinished(transaction);
  if (isThrough) return { kind: 'note-installed' };
  if (installTries >= mostInstalls) {
    const why = transaction?.reason === undefined ? '' : `: ${transaction.reason}`;
    return {
      kind: 'close',
      isSuccess: false,
      reason: `the install was interrupted ${installTries} times${why}`,
    };
  }
  // Continue as if the install had never begun: windows, cancel and the user's no count again.
  if (offer !== undefined) return { kind: 'back-to-fetched' };
  return {
    kind: 'close',
    isSuccess: false,
    reason: 'the install was interrupted, and the server no longer names it',
  };
}

function isUnfinished({ state }: FoundTransaction): boolean {
  return state === 'preparing' || state === 'installing';
}

/** Decides on success or failure only when the transaction is closed: then the reboot has proved it. */
function decideInstalled(action: FleetAction, offer: Deployment | undefined, facts: StepFacts): Step {
  const { transaction, rebootWindow, bootId } = facts;
  if (transaction === undefined)
    return {
      kind: 'close',
      isSuccess: false,
      reason: 'the record of the update is lost; see update.sh status',
    };
  if (transaction.isClosed) return verdictOf(transaction);
  if (!action.isInstallTold) return { kind: 'tell-installed' };
  if (transaction.state !== 'installed') return wait('it is on trial');
  if (offer?.maintenanceWindow === 'unavailable')
    return wait('it is installed, and the maintenance window of the server is closed');
  if (rebootWindow !== undefined) return wait(`it is installed, and ${rebootWindow}`);
  return action.rebootAskedIn === bootId
    ? wait('it is installed, and waits for its reboot')
    : { kind: 'reboot' };
}

export function verdictOf({ state, reason }: FoundTransaction): Extract<Step, { kind: 'close' }> {
  const isSuccess = state === 'committed';
  const words: Partial<Record<State, string>> = {
    committed: 'committed: the new version has proved healthy',
    'rolled-back': 'rolled back',
    'fallen-back': 'fallen back: the bootloader rejected the new version',
  };
  const why = reason === undefined ? '' : `: ${reason}`;
  return { kind: 'close', isSuccess, reason: `${words[state] ?? 'failed'}${why}` };
}

/** `forced` needs no consent; only the user's inhibit file and the windows still count. */
function decideConsent(
  action: FleetAction,
  handling: Deployment['update'],
  { consent }: StepFacts,
): Step | undefined {
  if (action.consent === 'no')
    return { kind: 'close', isSuccess: false, reason: 'a user at the device rejected it' };
  if (consent !== 'ask' || handling === 'forced' || action.consent === 'yes') return undefined;
  return wait('a user at the device has to accept it ("update.sh consent yes")');
}

function obstacleTo({ obstacle }: StepFacts): Step | undefined {
  return obstacle === undefined ? undefined : wait(obstacle);
}

function wait(reason: string): Step {
  return { kind: 'wait', reason };
}

export type CancelAnswer = { isAccepted: true } | { isAccepted: false; reason: string };

/** An action that has begun to change slots and data is not cancelled: it ends at the next reboot, and safely. */
export function decideCancel(action: FleetAction | undefined, cancelledId: string): CancelAnswer {
  if (action === undefined || action.actionId !== cancelledId) return { isAccepted: true };
  switch (action.stage) {
    case 'fetching':
    case 'fetched':
      return { isAccepted: true };
    case 'installing':
      return { isAccepted: false, reason: 'RAUC is writing the slot and cannot be stopped' };
    case 'installed':
      return {
        isAccepted: false,
        reason: 'it is installed; "update.sh cancel" on the device still takes it back',
      };
    case 'closing':
    case 'closed':
      return { isAccepted: false, reason: `it has ended: ${action.verdict?.reason ?? 'no verdict'}` };
  }
}
