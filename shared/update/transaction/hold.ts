import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Failure, reasonOf } from '../../system/failure.ts';
import { makeFolder, removeDurably, writeDurably } from '../../system/files/durable-file.ts';
import { type Places, updateFolderOf } from '../../system/places.ts';

/**
 * Keeps systemd from starting the orchestrator at the next boot before post-activate has decided: on a trial boot the
 * dump comes first, on a fallback boot the restore. The unit's conditions read two files: a hold on the data
 * partition, and a release below /run, which a reboot removes. The orchestrator starts if there is no hold or if
 * there is a release, so a device without our files is never held.
 */

/** Holds the orchestrator from the next boot on; in this boot it may still start. */
export function holdNextBoot(places: Places): void {
  releaseThisBoot(places);
  put(holdFile(places));
}

/** Holds the orchestrator from now on: it may not start again before the reboot. */
export function holdNow(places: Places): void {
  put(holdFile(places));
  removeDurably(releaseFile(places));
}

/** Lets the orchestrator start for the rest of this boot. */
export function releaseThisBoot(places: Places): void {
  put(releaseFile(places));
}

/** Removes the hold for good. */
export function dropHold(places: Places): void {
  const file = holdFile(places);
  if (!existsSync(file)) return;
  removeDurably(file);
}

/** Whether the next boot is held. */
export function hasHold(places: Places): boolean {
  return existsSync(holdFile(places));
}

/** Whether systemd was kept from starting the orchestrator in this boot. */
export function isHeld(places: Places): boolean {
  return existsSync(holdFile(places)) && !existsSync(releaseFile(places));
}

function put(file: string): void {
  try {
    makeFolder(dirname(file));
    writeDurably(file, '');
  } catch (error) {
    throw new Failure(`Cannot write "${file}": ${reasonOf(error)}`, { cause: error });
  }
}

function holdFile(places: Places): string {
  return join(updateFolderOf(places), 'hold');
}

function releaseFile(places: Places): string {
  return join(places.run, 'released');
}
