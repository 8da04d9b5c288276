import { existsSync } from 'node:fs';
import * as v from 'valibot';
import { Failure, reasonOf } from '../../system/failure.ts';
import { removeDurably } from '../../system/files/durable-file.ts';
import { StateFile } from '../../system/files/state-file.ts';
import { bootId, type Places } from '../../system/places.ts';
import { allTransactions } from './transaction-store.ts';

/**
 * The last version that install-check admitted. Next, RAUC takes the target slot out of the boot order, and only after
 * that pre-install can write that the update has begun. If power fails between the two, this note shows that this install
 * took the slot out. Fields are only ever added.
 */

const noteSchema = v.looseObject({
  format: v.literal(1),
  version: v.string(),
  /** The newest transaction when the note was written; ignore the note if a newer one exists. Null where there was none. */
  after: v.nullable(v.string()),
  /** As long as this boot lasts, RAUC may still be installing. */
  bootId: v.string(),
  /** ISO 8601. */
  at: v.string(),
});

const noteFile = new StateFile(noteSchema, 'admitted.json');

export type AdmissionNote = v.InferOutput<typeof noteSchema>;

export function noteAdmission(places: Places, version: string): void {
  const after = allTransactions(places).at(-1)?.id ?? null;
  const note: AdmissionNote = {
    format: 1,
    version,
    after,
    bootId: bootId(),
    at: new Date().toISOString(),
  };
  try {
    noteFile.write(places, note);
  } catch (error) {
    const path = noteFile.pathIn(places);
    throw new Failure(
      `Cannot install version "${version}": "${path}" cannot be written, ${reasonOf(error)}`,
      {
        cause: error,
      },
    );
  }
}

/** The note of an earlier boot. Undefined where there is none or it is unreadable: then the slot is left as it is. */
export function readAdmissionNote(places: Places): AdmissionNote | undefined {
  const note = noteFile.read(places);
  return note === undefined || note.bootId === bootId() ? undefined : note;
}

export function forgetAdmission(places: Places): void {
  const path = noteFile.pathIn(places);
  if (!existsSync(path)) return;
  try {
    removeDurably(path);
  } catch (error) {
    throw new Failure(`Cannot remove "${path}": ${reasonOf(error)}`, { cause: error });
  }
}
