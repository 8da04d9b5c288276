import { closeSync, existsSync, fstatSync, openSync, renameSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { isMissing } from '../failure.ts';
import { atStep } from '../fault-point.ts';
import { tryFlock } from './libc.ts';

/**
 * A log limits its own size: our programs run on systems without logrotate, in rescue shells, and with a clock at
 * 1970. An operator may use logrotate too: each line is written to the file that has the name at that time.
 */

const mostBytes = 1024 * 1024;
/** Beside the log itself: `update.log.1` is the newest. */
const keptLogs = 3;

/**
 * Starts a new log when the log has reached its limit, and keeps the last ones as `.1` to `.3`. Of several programs
 * that find it too long at once, one does so, and the others go on. Throws the system's error.
 */
export function rotateWhereLong(path: string): void {
  if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) >= mostBytes) startNewLog(path);
}

/**
 * Decides again with the file that it opens: since the caller looked, another program may have started a new log,
 * and to move that one away would push the last lines of the long one out of reach.
 */
export function startNewLog(path: string): void {
  const descriptor = openOrNone(path);
  if (descriptor === undefined) return;
  try {
    // The lock is of this file, not of its name: the new log is another file, and is not moved away.
    if (!tryFlock(descriptor) || !isNamed(path, descriptor) || fstatSync(descriptor).size < mostBytes) return;
    makeRoom(path);
    move(path, rotatedLogOf(path));
  } finally {
    closeSync(descriptor);
  }
}

/** No file has the name between the rename and the first line of the new log. */
function openOrNone(path: string): number | undefined {
  try {
    return openSync(path, 'r');
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** The log before the current one; its lines are older than those of the current one. */
export function rotatedLogOf(path: string): string {
  return nameOf(path, 1);
}

/** Frees the name `.1`. After a kill between two renames a name is free already: the older logs stay. */
function makeRoom(path: string): void {
  let free = 1;
  while (free < keptLogs && existsSync(nameOf(path, free))) free += 1;
  for (let number = free; number > 1; number -= 1) move(nameOf(path, number - 1), nameOf(path, number));
}

function nameOf(path: string, number: number): string {
  return `${path}.${number}`;
}

function isNamed(path: string, descriptor: number): boolean {
  const named = statSync(path, { throwIfNoEntry: false });
  const open = fstatSync(descriptor);
  return named?.ino === open.ino && named.dev === open.dev;
}

function move(from: string, to: string): void {
  atStep(
    () => `rotate ${basename(from)}`,
    () => renameSync(from, to),
  );
}
