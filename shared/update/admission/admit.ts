import type { BundleInfo } from '../../rauc/info.ts';
import type { Places } from '../../system/places.ts';
import type { Device } from '../transaction/device.ts';
import { allTransactions } from '../transaction/transaction-store.ts';
import { gatherAdmissionFacts, gatherStandingFacts } from './admission-facts.ts';
import { requireAdmitted } from './admission-refusal.ts';
import { decideAdmission, mayUpdateNow } from './decide-admission.ts';
import { refuseRolledBack } from './rolled-back-before.ts';

/** Throws a Failure when no update may be installed now, regardless of the bundle. */
export function requireStanding(what: string, places: Places): void {
  requireAdmitted(`"${what}"`, mayUpdateNow(gatherStandingFacts(places)));
}

export interface AdmissionOptions {
  /** Also admit a version that was rolled back, or fell back, on this device. */
  isForced: boolean;
  /** A dry run takes no lock and refuses when another program holds it. A real run holds the lock itself. */
  isDryRun?: boolean;
}

/** Throws a Failure when this bundle may not be installed here: the checks of install-check, then the rolled-back versions. */
export function requireAdmission(
  file: string,
  info: BundleInfo,
  { isForced, isDryRun = false }: AdmissionOptions,
  device: Device,
): BundleInfo & { version: string } {
  const version = info.version ?? '';
  const bundle = { compatible: info.compatible, version, architecture: undefined, imageBytes: undefined };
  const facts = gatherAdmissionFacts(bundle, undefined, device);
  requireAdmitted(`"${file}"`, decideAdmission(isDryRun ? facts : { ...facts, holder: undefined }));
  if (!isForced) requireAdmitted(`"${file}"`, refuseRolledBack(version, allTransactions(device.places)));
  return { ...info, version };
}
