import { bootId, type Places } from '../../system/places.ts';
import { findDirectRefusal } from '../admission/rauc-refusal.ts';
import { readRefusals } from '../admission/refusal-log.ts';
import { allTransactions } from '../transaction/transaction-store.ts';
import { type Anomaly, findAnomalies } from './find-anomalies.ts';

/** RAUC's answers; undefined where it did not answer. */
export interface RaucState {
  /** The booted slot's name. */
  booted: string | undefined;
  lastError?: string | undefined;
}

/** The anomalies of this device now. Changes nothing. */
export function gatherAnomalies(places: Places, { booted, lastError }: RaucState, now: Date): Anomaly[] {
  const refusals = readRefusals(places);
  const direct = findDirectRefusal(lastError, { refusals, bootId: bootId(), now });
  return findAnomalies({
    updates: allTransactions(places),
    refusals: direct === undefined ? refusals : [...refusals, direct],
    bootId: bootId(),
    booted,
    now,
  });
}
