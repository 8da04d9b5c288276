import semver from 'semver';
import type { BundleFacts } from '../rauc/bundle-facts.ts';
import { formatBytes } from '../system/disk.ts';
import type { Outcome } from '../system/exit-code.ts';
import type { LockHolder } from '../system/lock.ts';
import { isUpdaterOf } from './install-lock.ts';

/** All that decides whether a bundle may be installed, gathered without touching anything. */
export interface AdmissionFacts extends StandingFacts {
  bundle: BundleFacts;
  /** Undefined where nobody could say: RAUC did not call, and there is no system.conf. */
  systemCompatible: string | undefined;
  architecture: string;
  runningVersion: string | undefined;
  committedVersion: string | undefined;
  versionFloor: string | undefined;
  mayDowngrade: boolean;
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

export interface Refusal {
  outcome: Outcome;
  reason: string;
  advice: string;
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

/** install-check replaces RAUC's own comparison (RAUC manual, "Install-Check Hook"), so it has to be made here. */
function refuseOtherCompatible({ bundle, systemCompatible }: AdmissionFacts): Refusal | undefined {
  if (systemCompatible === undefined || bundle.compatible === systemCompatible) return undefined;
  const reason = `it is for "${bundle.compatible}", this system is "${systemCompatible}"`;
  return { outcome: 'incompatible', reason, advice: 'Get the bundle for this board' };
}

function refuseOtherArchitecture({ bundle, architecture }: AdmissionFacts): Refusal | undefined {
  if (bundle.architecture === undefined || bundle.architecture === architecture) return undefined;
  const reason = `its programs are for ${bundle.architecture}, this machine is ${architecture}`;
  return { outcome: 'incompatible', reason, advice: 'Get the bundle for this board' };
}

function refuseOlderVersion(facts: AdmissionFacts): Refusal | undefined {
  const { version } = facts.bundle;
  if (semver.valid(version) === null) {
    const reason = `its version "${version}" is not a semantic version`;
    return { outcome: 'incompatible', reason, advice: 'Build it with a version like 1.2.0' };
  }
  if (facts.versionFloor !== undefined && isOlder(version, facts.versionFloor)) {
    const reason = `version ${version} is older than the floor ${facts.versionFloor}`;
    return {
      outcome: 'incompatible',
      reason,
      advice: 'The floor is update.version_floor in orchestrator.yaml',
    };
  }
  if (facts.mayDowngrade) return undefined;
  const advice = 'Set update.allow_downgrade: true in orchestrator.yaml if you mean it';
  if (facts.runningVersion !== undefined && isOlder(version, facts.runningVersion)) {
    return {
      outcome: 'incompatible',
      reason: `version ${version} is older than ${facts.runningVersion}, which runs`,
      advice,
    };
  }
  if (facts.committedVersion !== undefined && isOlder(version, facts.committedVersion)) {
    const reason = `version ${version} is older than ${facts.committedVersion}, which was committed before`;
    return { outcome: 'incompatible', reason, advice };
  }
  return undefined;
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

function isOlder(version: string, than: string): boolean {
  return semver.valid(than) !== null && semver.lt(version, than);
}
