import * as v from 'valibot';
import { runFolderOf, StateFile } from '../../system/files/state-file.ts';
import type { Places } from '../../system/places.ts';

/**
 * The progress of the running install, for `status` and the API. The file lies below /run, so a reboot removes it; only
 * the program that holds the lock writes it. Unknown fields are kept, and ignored.
 */

const phases = ['checking', 'fetching', 'verifying', 'installing', 'done', 'failed'] as const;

const progressSchema = v.looseObject({
  format: v.number(),
  pid: v.number(),
  /** ISO 8601. */
  startedAt: v.string(),
  /** Where the bundle comes from, without anything secret. */
  source: v.string(),
  version: v.nullable(v.string()),
  phase: v.picklist(phases),
  /** Of the phase, 0 to 100; null where it is unknown. */
  percent: v.nullable(v.number()),
  /** One line for people. */
  message: v.string(),
  bytes: v.optional(v.number()),
  totalBytes: v.optional(v.number()),
  bytesPerSecond: v.optional(v.number()),
  secondsLeft: v.optional(v.number()),
  /** Set when the install has ended, unless a signal ended it. */
  exitCode: v.optional(v.number()),
  reason: v.optional(v.string()),
});

const progressFile = new StateFile(progressSchema, 'progress.json', { folder: runFolderOf });

export type Progress = v.InferOutput<typeof progressSchema>;
export type Phase = (typeof phases)[number];

export function writeProgress(places: Places, progress: Progress): void {
  progressFile.write(places, progress);
}

/** Undefined where no install was begun in this boot, or the file is unreadable. */
export function readProgress(places: Places): Progress | undefined {
  return progressFile.read(places);
}
