import { existsSync, renameSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { Failure, reasonOf } from '../../system/failure.ts';
import { atStep } from '../../system/fault-point.ts';
import { renameDurably, syncFolder } from '../../system/files/durable-file.ts';
import { exchangeNames } from '../../system/files/libc.ts';
import { timeInName } from './backup.ts';

/**
 * Replaces the folder by `fresh`, and returns where the old one is kept: beside it, with the time in its name. If the
 * file system can exchange names, one of the two is in place at every moment. Undefined if there was no old folder.
 * Throws a Failure.
 */
export function swapFolder(folder: string, fresh: string, now: Date): string | undefined {
  try {
    if (!existsSync(folder)) {
      renameDurably(fresh, folder);
      return undefined;
    }
    const kept = freeName(`${folder}.replaced-${timeInName(now)}`);
    renameDurably(fresh, kept);
    const hasExchanged = atStep(
      () => `exchange ${basename(folder)}`,
      () => exchangeNames(kept, folder),
    );
    if (!hasExchanged) changePlaces(kept, folder, fresh);
    syncFolder(dirname(folder));
    return kept;
  } catch (error) {
    throw new Failure(`Cannot replace "${folder}": ${reasonOf(error)}`, {
      cause: error,
      advice: 'It was not changed',
    });
  }
}

/** For a file system that cannot exchange names at once: for a moment no folder is in place. `aside` is a free name. */
function changePlaces(kept: string, folder: string, aside: string): void {
  try {
    move(folder, aside);
  } catch (error) {
    renameSync(kept, aside);
    throw error;
  }
  try {
    move(kept, folder);
  } catch (error) {
    // The old folder goes back first: the caller removes the folder at `aside`.
    renameSync(aside, folder);
    throw error;
  }
  move(aside, kept);
}

function move(from: string, to: string): void {
  atStep(
    () => `put ${basename(to)}`,
    () => renameSync(from, to),
  );
}

/** A clock that restarts at each boot can give the same time again. */
function freeName(wanted: string): string {
  let name = wanted;
  for (let number = 2; existsSync(name); number += 1) name = `${wanted}-${number}`;
  return name;
}
