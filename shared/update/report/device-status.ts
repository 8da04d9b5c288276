import { readLastError } from '../../rauc/last-error.ts';
import { otherSlot, type Slots, slotsIfAnswered } from '../../rauc/status.ts';
import { readScheduledShutdown, type ScheduledShutdown } from '../../stack/shutdown.ts';
import { Failure, reasonOf } from '../../system/failure.ts';
import { bootId, lockFileOf } from '../../system/places.ts';
import { lockHolder } from '../../system/process/lock.ts';
import { readInhibit } from '../admission/inhibit.ts';
import { decideBoot } from '../boot/decide-boot.ts';
import { readProgress } from '../install/progress.ts';
import { windowOf } from '../schedule/schedule.ts';
import { readRelease } from '../slot/release.ts';
import type { Device } from '../transaction/device.ts';
import {
  type CurrentTransaction,
  knownTransaction,
  readTransaction,
} from '../transaction/transaction-store.ts';
import type { NextFacts } from './decide-next.ts';
import type { Anomaly } from './find-anomalies.ts';
import { gatherAnomalies } from './gather-anomalies.ts';

/** The state of this device, for programs that only report it. Gathering it changes nothing. */
export interface DeviceStatus extends NextFacts {
  current: CurrentTransaction;
  runningVersion: string | undefined;
  anomalies: readonly Anomaly[];
  /** Why the slots are not known. */
  slotsProblem: Failure | undefined;
}

export async function gatherStatus(device: Device, now = new Date()): Promise<DeviceStatus> {
  return statusOf(device, await queryRaucAndLogind(device.signal), now);
}

/** The answers of other programs (RAUC, systemd); on a small board each of them takes a while. */
export interface Answers {
  slots: Slots | undefined;
  /** Why the slots are not known. */
  slotsProblem: Failure | undefined;
  scheduled: ScheduledShutdown | undefined;
  /** Why RAUC's last install failed, also one that another program started. */
  lastError?: string | undefined;
}

export async function queryRaucAndLogind(signal: AbortSignal): Promise<Answers> {
  const [answer, scheduled, lastError] = await Promise.all([
    askForSlots(signal),
    readScheduledShutdown(signal),
    readLastError(signal),
  ]);
  return { ...answer, scheduled, lastError };
}

/** Like gatherStanding, from answers that are already there: everything else is read from files, without delay. */
export function statusOf(device: Device, answers: Answers, now = new Date()): DeviceStatus {
  const { places } = device;
  const { slots, slotsProblem, scheduled, lastError } = answers;
  const current = readTransaction(places);
  const transaction = knownTransaction(current);
  const runningVersion = readRelease(places.root);
  const booted = slots?.booted?.name;
  const isOtherSpent = slots !== undefined && otherSlot(slots)?.bootStatus === 'bad';
  return {
    current,
    transaction,
    isUnreadable: current.kind === 'damaged',
    owesUnread: current.kind === 'damaged' && current.owes,
    plan: decideBoot(transaction, {
      bootId: bootId(),
      booted,
      runningVersion,
      raucVersion: slots?.booted?.version,
      isOtherSpent,
    }).kind,
    slots,
    slotsProblem,
    runningVersion,
    holder: lockHolder(lockFileOf(places)),
    progress: readProgress(places),
    scheduled,
    window: windowOf(device, now),
    inhibit: readInhibit(places, now),
    anomalies: gatherAnomalies(places, { booted, lastError }, now),
  };
}

/** Does not throw where RAUC does not answer: it is silent while it installs, and then users ask for the status. */
async function askForSlots(signal: AbortSignal): Promise<Pick<Answers, 'slots' | 'slotsProblem'>> {
  let slotsProblem: Failure | undefined;
  const slots = await slotsIfAnswered(signal, (error) => {
    slotsProblem = error instanceof Failure ? error : new Failure(reasonOf(error));
  });
  return { slots, slotsProblem };
}
