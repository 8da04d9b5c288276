import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import { makeFolder, writeDurably } from '../../system/files/durable-file.ts';
import { type Places, updateFolderOf } from '../../system/places.ts';

/** The ids of the anomalies and verdicts that have been reported, so that each is reported once. */

const toldSchema = v.looseObject({
  format: v.number(),
  anomalies: v.array(v.string()),
  /** Undefined until the first verdict is sent to a receiver. */
  verdicts: v.optional(v.array(v.string())),
});

export interface Notified {
  anomalies: readonly string[];
  verdicts: readonly string[] | undefined;
}

/** So many of each are remembered; what is older in the history counts as sent. */
export const mostKept = 100;

/** An unreadable file counts as none: a second report is better than no report. */
export function readNotified(places: Places): Notified {
  try {
    const { anomalies, verdicts } = v.parse(toldSchema, JSON.parse(readFileSync(toldFile(places), 'utf8')));
    return { anomalies, verdicts };
  } catch {
    return { anomalies: [], verdicts: undefined };
  }
}

export function writeNotified(places: Places, { anomalies, verdicts }: Notified): void {
  const told = {
    format: 1,
    anomalies: anomalies.slice(-mostKept),
    ...(verdicts === undefined ? {} : { verdicts: verdicts.slice(-mostKept) }),
  };
  makeFolder(updateFolderOf(places));
  writeDurably(toldFile(places), `${JSON.stringify(told)}\n`);
}

function toldFile(places: Places): string {
  return join(updateFolderOf(places), 'told.json');
}
