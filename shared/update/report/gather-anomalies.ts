import { bootId, type Places } from '../../system/places.ts';
import { findDirectRefusal } from '../admission/direct-refusal.ts';
import { readRefusals } from '../admission/refusals.ts';
import { updatesSoFar } from '../transaction/journal.ts';
import { type Anomaly, findAnomalies } from './find-anomalies.ts';

/** What RAUC has told, where it did. */
export interface RaucsWord {
  /** The booted slot's name. */
  booted: string | undefined;
  lastError?: string | undefined;
}

/** What stands out on this device now; reads only. */
export function gatherAnomalies(places: Places, { booted, lastError }: RaucsWord, now: Date): Anomaly[] {
  const refusals = readRefusals(places);
  const direct = findDirectRefusal(lastError, { refusals, bootId: bootId(), now });
  return findAnomalies({
    updates: updatesSoFar(places),
    refusals: direct === undefined ? refusals : [...refusals, direct],
    bootId: bootId(),
    booted,
    now,
  });
}
