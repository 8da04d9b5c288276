import { bootId, type Places } from '../system/places.ts';
import { type Anomaly, findAnomalies } from './find-anomalies.ts';
import { updatesSoFar } from './put-fallback-back.ts';
import { readRefusals } from './refusals.ts';

/** What stands out on this device now; reads only. `booted` is the booted slot's name, where RAUC told it. */
export function gatherAnomalies(places: Places, booted: string | undefined, now: Date): Anomaly[] {
  return findAnomalies({
    updates: updatesSoFar(places),
    refusals: readRefusals(places),
    bootId: bootId(),
    booted,
    now,
  });
}
