import type { Config } from '../../config/config.ts';
import type { BundleInfo } from '../../rauc/info.ts';
import { Failure } from '../../system/failure.ts';
import type { Places } from '../../system/places.ts';
import type { Transaction } from '../transaction/transaction.ts';
import { knownTransaction, readHistory, readTransaction } from '../transaction/transaction-store.ts';
import { gatherAdmissionFacts, gatherStandingFacts } from './admission-facts.ts';
import { decideAdmission, mayUpdateNow } from './decide-admission.ts';
import type { AdmissionRefusal } from './decide-compatibility.ts';
import { refuseRolledBack } from './rolled-back-before.ts';

/** Throws a Failure when no update may be installed now, regardless of the bundle. */
export function requireStanding(what: string, places: Places): void {
  refuse(what, mayUpdateNow(gatherStandingFacts(places)));
}

export interface Admission {
  places: Places;
  config: Config;
  /** Also admit a version that was rolled back, or fell back, on this device. */
  isForced: boolean;
  /** A dry run takes no lock and refuses when another program holds it. A real run holds the lock itself. */
  isDryRun?: boolean;
}

/** Throws a Failure when this bundle may not be installed here: the checks of install-check, then the rolled-back versions. */
export function requireAdmission(
  file: string,
  info: BundleInfo,
  { places, config, isForced, isDryRun = false }: Admission,
): BundleInfo & { version: string } {
  const version = info.version ?? '';
  const bundle = { compatible: info.compatible, version, architecture: undefined, imageBytes: undefined };
  const facts = gatherAdmissionFacts(bundle, undefined, places, config);
  refuse(file, decideAdmission(isDryRun ? facts : { ...facts, holder: undefined }));
  if (!isForced) refuse(file, refuseRolledBack(version, allTransactions(places)));
  return { ...info, version };
}

/** All transactions, oldest first; an open transaction is the last. */
export function allTransactions(places: Places): Transaction[] {
  const current = knownTransaction(readTransaction(places));
  return [...readHistory(places), ...(current === undefined || current.isClosed ? [] : [current])];
}

function refuse(what: string, refusal: AdmissionRefusal | undefined): void {
  if (refusal === undefined) return;
  const { outcome, reason, advice } = refusal;
  throw new Failure(`Cannot install "${what}": ${reason}`, { outcome, advice });
}
