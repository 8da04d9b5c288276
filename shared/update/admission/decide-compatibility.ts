import semver from 'semver';
import type { BundleFacts } from '../../rauc/bundle-facts.ts';
import type { AdmissionRefusal } from './admission-refusal.ts';

/** Decides whether a bundle belongs on this system: the checks that must not be left to the bundle's own hook. */

export interface FitFacts {
  bundle: BundleFacts;
  /** Undefined when unknown: RAUC is not the caller, and there is no system.conf. */
  systemCompatible: string | undefined;
  runningVersion: string | undefined;
  committedVersion: string | undefined;
  versionFloor: string | undefined;
  mayDowngrade: boolean;
}

/** Returns undefined when the bundle belongs on this system. */
export function decideCompatibility(facts: FitFacts): AdmissionRefusal | undefined {
  return refuseOtherCompatible(facts) ?? refuseOlderVersion(facts);
}

/** install-check replaces RAUC's own comparison (RAUC manual, "Install-Check Hook"), so our code has to compare. */
export function refuseOtherCompatible({ bundle, systemCompatible }: FitFacts): AdmissionRefusal | undefined {
  if (systemCompatible === undefined || bundle.compatible === systemCompatible) return undefined;
  const reason = `it is for "${bundle.compatible}", this system is "${systemCompatible}"`;
  return { outcome: 'incompatible', reason, advice: 'Get the bundle for this board' };
}

export function refuseOlderVersion(facts: FitFacts): AdmissionRefusal | undefined {
  const { version } = facts.bundle;
  if (semver.valid(version) === null) {
    const reason = `its version "${version}" is not a semantic version`;
    return { outcome: 'incompatible', reason, advice: 'Build it with a version like 1.2.0' };
  }
  if (facts.versionFloor !== undefined && isOlder(version, facts.versionFloor)) {
    const reason = `version ${version} is older than the minimum version ${facts.versionFloor}`;
    return {
      outcome: 'incompatible',
      reason,
      advice: 'The minimum version is update.version_floor in orchestrator.yaml',
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

function isOlder(version: string, than: string): boolean {
  return semver.valid(than) !== null && semver.lt(version, than);
}
