import { formatBytes } from '../../system/files/disk.ts';
import type { LockHolder } from '../../system/process/lock.ts';
import { isUpdaterOf } from '../transaction/update-lock.ts';
import type { AdmissionRefusal } from './admission-refusal.ts';
import { type FitFacts, refuseOlderVersion, refuseOtherCompatible } from './decide-compatibility.ts';

/** The facts that decide whether a bundle may be installed; gathering them changes nothing. */
export interface AdmissionFacts extends FitFacts, StandingFacts {
  architecture: string;
  holder: LockHolder | undefined;
  slots: { name: string; device: string; bytes: number | undefined }[];
  backup: { path: string; neededBytes: number; freeBytes: number };
}

/** The facts that do not depend on the bundle. */
export interface StandingFacts {
  /** The user's reason, from the inhibit file. */
  inhibit: string | undefined;
  /** The running system is itself an update without a verdict. */
  isOnTrial: boolean;
  /** An abandoned update changed the data, and its dump is not restored yet. */
  needsRestore: boolean;
}

type Rule = (facts: AdmissionFacts) => AdmissionRefusal | undefined;

/** Returns undefined when the bundle may be installed. Permanent reasons come first, temporary reasons last. */
export function decideAdmission(facts: AdmissionFacts): AdmissionRefusal | undefined {
  for (const rule of rules) {
    const refusal = rule(facts);
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}

/** Decides before there is a bundle, so that none is downloaded that may not be installed. Undefined when updates may run. */
export function mayUpdateNow(facts: StandingFacts): AdmissionRefusal | undefined {
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

function refuseOtherArchitecture({ bundle, architecture }: AdmissionFacts): AdmissionRefusal | undefined {
  if (bundle.architecture === undefined || bundle.architecture === architecture) return undefined;
  const reason = `its programs are for ${bundle.architecture}, this machine is ${architecture}`;
  return { outcome: 'incompatible', reason, advice: 'Get the bundle for this board' };
}

function refuseMissingSlot({ slots }: AdmissionFacts): AdmissionRefusal | undefined {
  const missing = slots.find(({ bytes }) => bytes === undefined);
  if (missing === undefined) return undefined;
  const reason = `slot "${missing.name}" has no device: "${missing.device}" is not there`;
  return { outcome: 'incompatible', reason, advice: 'Compare system.conf with the partitions of this board' };
}

function refuseLargeImage({ bundle, slots }: AdmissionFacts): AdmissionRefusal | undefined {
  const { imageBytes } = bundle;
  const small = slots.find(
    ({ bytes }) => bytes !== undefined && imageBytes !== undefined && bytes < imageBytes,
  );
  if (small?.bytes === undefined || imageBytes === undefined) return undefined;
  const reason = `its image of ${formatBytes(imageBytes)} does not fit into slot "${small.name}" of ${formatBytes(small.bytes)}`;
  return { outcome: 'noSpace', reason, advice: 'Build it with a smaller root file system' };
}

function refuseInhibited({ inhibit }: StandingFacts): AdmissionRefusal | undefined {
  if (inhibit === undefined) return undefined;
  const reason = `updates are inhibited${inhibit === '' ? '' : `: ${inhibit}`}`;
  return {
    outcome: 'inhibited',
    reason,
    advice: 'Remove the file update/inhibit from the data partition to allow them',
  };
}

/** Our own updater holds the lock while RAUC runs the hooks for it; the lock notes the version that it installs. */
function refuseBusy({ holder, bundle }: AdmissionFacts): AdmissionRefusal | undefined {
  if (holder === undefined || isUpdaterOf(bundle.version, holder)) return undefined;
  const reason = `another update is running (${holder.program}, process ${holder.pid})`;
  return { outcome: 'busy', reason, advice: 'Wait until it has ended' };
}

/** The install would overwrite the fallback of the running trial. */
function refuseOnTrial({ isOnTrial }: StandingFacts): AdmissionRefusal | undefined {
  if (!isOnTrial) return undefined;
  const reason = 'the update before it is still on trial, and the other slot is its fallback';
  return { outcome: 'busy', reason, advice: 'Wait for its verdict (update.sh status)' };
}

/** A new transaction would replace the one that names the dump to restore. */
function refuseInDebt({ needsRestore }: StandingFacts): AdmissionRefusal | undefined {
  if (!needsRestore) return undefined;
  const reason = 'the data that the update before it changed has not been restored yet';
  return { outcome: 'tryLater', reason, advice: 'Reboot: the next boot restores it' };
}

function refuseFullDisk({ backup }: AdmissionFacts): AdmissionRefusal | undefined {
  if (backup.freeBytes >= backup.neededBytes) return undefined;
  const reason = `the backup needs ${formatBytes(backup.neededBytes)} in "${backup.path}", ${formatBytes(backup.freeBytes)} are free`;
  return { outcome: 'noSpace', reason, advice: 'Remove old backups or other files from the data partition' };
}
