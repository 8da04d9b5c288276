import type { Outcome } from '../../system/exit-code.ts';
import { Failure } from '../../system/failure.ts';

/** Why a bundle may not be installed, and what to do about it. */
export interface AdmissionRefusal {
  outcome: Outcome;
  reason: string;
  advice: string;
}

/** Throws the refusal as a Failure, where there is one; `what` is a quoted path or version. */
export function requireAdmitted(what: string, refusal: AdmissionRefusal | undefined): void {
  if (refusal === undefined) return;
  const { outcome, reason, advice } = refusal;
  throw new Failure(`Cannot install ${what}: ${reason}`, { outcome, advice });
}
