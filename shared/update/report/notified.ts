import * as v from 'valibot';
import { StateFile } from '../../system/files/state-file.ts';
import type { Places } from '../../system/places.ts';

/** The ids of the anomalies and verdicts that have been reported, so that each is reported once. */

const notifiedSchema = v.looseObject({
  format: v.number(),
  anomalies: v.array(v.string()),
  /** Undefined until the first verdict is sent to a receiver. */
  verdicts: v.optional(v.array(v.string())),
});

const notifiedFile = new StateFile(notifiedSchema, 'told.json');

export interface Notified {
  anomalies: readonly string[];
  verdicts: readonly string[] | undefined;
}

/** So many of each are remembered; what is older in the history counts as sent. */
export const mostKept = 100;

/** An unreadable file counts as none: a second report is better than no report. */
export function readNotified(places: Places): Notified {
  const { anomalies, verdicts } = notifiedFile.read(places) ?? { anomalies: [], verdicts: undefined };
  return { anomalies, verdicts };
}

export function writeNotified(places: Places, { anomalies, verdicts }: Notified): void {
  notifiedFile.write(places, {
    format: 1,
    anomalies: anomalies.slice(-mostKept),
    ...(verdicts === undefined ? {} : { verdicts: verdicts.slice(-mostKept) }),
  });
}
