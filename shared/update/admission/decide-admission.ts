import { formatBytes } from '../../system/files/disk.ts';
import type { LockHolder } from '../../system/process/lock.ts';
import { isUpdaterOf } from '../transaction/install-lock.ts';
import { type FitFacts, type Refusal, refuseOlderVersion, refuseOtherCompatible } from './decide-fit.ts';

/** All that decides whether a bundle may be installed, gathered without touching anything. */
export interface AdmissionFacts extends FitFacts, StandingFacts {
  architecture: string;
  holder: LockHolder | undefined;
  slots: { name: string; device: string; bytes: number | undefined }[];
  backup: { path: string; neededBytes: number; freeBytes: number };
}

/** What holds for every bundle. */
export interface StandingFacts {
  /** The user's reason, from the inhibit file. */
  inhibit: string | undefined;
  /** The running system is itself an update without a verdict. */
  isOnTrial: boolean;
  /** An update that was given up has changed the data, and its dump is not back yet. */
  owesRestore: boolean;
}

type Rule = (facts: AdmissionFacts) => Refusal | undefined;

/** Undefined: it may be installed. What can never change comes first, what may be different tomorrow last. */
export function decideAdmission(facts: AdmissionFacts): Refusal | undefined {
  for (const rule of rules) {
    const refusal = rule(facts);
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}

/** What can be said before there is a bundle: nothing is fetched that may not be installed. */
export function decideStanding(facts: StandingFacts): Refusal | undefined {
  return refuseInhibited(facts) ?? refuseOnTrial(facts) ?? refuseInDebt(facts);
}

const rules: readonly Rule[] = [
  refuseOtherCompatible,
  refuseOtherArchitecture,
  refuseOlderVersion,
  refuseMissingSlot,
  refuseLargeImage,
  refuseInhibited,
  refuseBusy,
  refuseOnTrial,
  refuseInDebt,
  refuseFullDisk,
];

function refuseOtherArchitecture({ bundle, architecture }: AdmissionFacts): Refusal | undefined {
  if (bundle.architecture === undefined || bundle.architecture === architecture) return undefined;
  const reason = `its programs are for ${bundle.architecture}, this machine is ${architecture}`;
  return { outcome: 'incompatible', reason, advice: 'Get the bundle for this board' };
}

function refuseMissingSlot({ slots }: AdmissionFacts): Refusal | undefined {
  const missing = slots.find(({ bytes }) => bytes === undefined);
  if (missing === undefined) return undefined;
  const reason = `slot "${missing.name}" has no device: "${missing.device}" is not there`;
  return { outcome: 'incompatible', reason, advice: 'Compare system.conf with the partitions of this board' };
}

function refuseLargeImage({ bundle, slots }: AdmissionFacts): Refusal | undefined {
  const { imageBytes } = bundle;
  const small = slots.find(
    ({ bytes }) => bytes !== undefined && imageBytes !== undefined && bytes < imageBytes,
  );
  if (small?.bytes === undefined || imageBytes === undefined) return undefined;
  const reason = `its image of ${formatBytes(imageBytes)} does not fit into slot "${small.name}" of ${formatBytes(small.bytes)}`;
  return { outcome: 'noSpace', reason, advice: 'Build it with a smaller root file system' };
}

function refuseInhibited({ inhibit }: StandingFacts): Refusal | undefined {
  if (inhibit === undefined) return undefined;
  const reason = `updates are inhibited${inhibit === '' ? '' : `: ${inhibit}`}`;
  return {
    outcome: 'inhibited',
    reason,
    advice: 'Remove the file update/inhibit from the data partition to allow them',
  };
}

/** Our own updater holds the lock while RAUC calls the hooks on its behalf; it notes for which version. */
function refuseBusy({ holder, bundle }: AdmissionFacts): Refusal | undefined {
  if (holder === undefined || isUpdaterOf(bundle.version, holder)) return undefined;
  const reason = `another update is running (${holder.program}, process ${holder.pid})`;
  return { outcome: 'busy', reason, advice: 'Wait until it has ended' };
}

/** A trial's fallback is the slot that would be overwritten. */
function refuseOnTrial({ isOnTrial }: StandingFacts): Refusal | undefined {
  if (!isOnTrial) return undefined;
  const reason = 'the update before it is still on trial, and the other slot is its fallback';
  return { outcome: 'busy', reason, advice: 'Wait for its verdict (update.sh status)' };
}

/** A new transaction would forget the dump. */
function refuseInDebt({ owesRestore }: StandingFacts): Refusal | undefined {
  if (!owesRestore) return undefined;
  const reason = 'the data that the update before it changed has not been restored yet';
  return { outcome: 'tryLater', reason, advice: 'Reboot: the next boot restores it' };
}

function refuseFullDisk({ backup }: AdmissionFacts): Refusal | undefined {
  if (backup.freeBytes >= backup.neededBytes) return undefined;
  const reason = `the backup needs ${formatBytes(backup.neededBytes)} in "${backup.path}", ${formatBytes(backup.freeBytes)} are free`;
  return { outcome: 'noSpace', reason, advice: 'Remove old backups or other files from the data partition' };
}
