import { appendFileSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { atStep } from '../fault-point.ts';

/**
 * A log limits its own size: our programs run on systems without logrotate, in rescue shells, and with a clock at
 * 1970. An operator may use logrotate too: each line is written to the file that has the name at that time.
 */

const mostBytes = 1024 * 1024;
/** Beside the log itself: `update.log.1` is the newest. */
const keptLogs = 3;

/**
 * Starts a new log when the log has reached its limit, and keeps the last ones as `.1` to `.3`. Several programs may
 * do so at once: a program that finds that another was faster puts the few lines back. Throws the system's error.
 */
export function rotateWhereLong(path: string): void {
  if (sizeOf(path) < mostBytes) return;
  const taken = `${path}.${process.pid}.old`;
  move(path, taken);
  if (sizeOf(taken) < mostBytes) {
    appendFileSync(path, readFileSync(taken));
    rmSync(taken);
    return;
  }
  for (let number = keptLogs - 1; number >= 1; number -= 1)
    moveWhereThere(`${path}.${number}`, `${path}.${number + 1}`);
  move(taken, rotatedLogOf(path));
}

/** The log before the current one; its lines are older than those of the current one. */
export function rotatedLogOf(path: string): string {
  return `${path}.1`;
}

function moveWhereThere(from: string, to: string): void {
  if (statSync(from, { throwIfNoEntry: false }) !== undefined) move(from, to);
}

function move(from: string, to: string): void {
  atStep(
    () => `rotate ${basename(from)}`,
    () => renameSync(from, to),
  );
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
