import { existsSync, renameSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { Failure, reasonOf } from '../../system/failure.ts';
import { atStep } from '../../system/fault-point.ts';
import { renameDurably, syncFolder } from '../../system/files/durable-file.ts';
import { exchangeNames } from '../../system/files/libc.ts';
import { timeInName } from './backup.ts';

/**
 * Puts the fresh folder in the place of the one there, and answers where that is kept: beside it, by the time. At
 * every moment one of the two is in place. Undefined where none was there. Throws a Failure.
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

/** Where the file system cannot do it at once: for a moment nothing is in place. `aside` is free. */
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
    // The caller throws away what lies aside.
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

/** A clock that starts anew at each boot makes the same time again. */
function freeName(wanted: string): string {
  let name = wanted;
  for (let number = 2; existsSync(name); number += 1) name = `${wanted}-${number}`;
  return name;
}
