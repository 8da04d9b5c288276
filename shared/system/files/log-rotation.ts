import { appendFileSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { atStep } from '../fault-point.ts';

/**
 * A log bounds itself: our programs run on systems that have no logrotate, in rescue shells, and with a clock at 1970.
 * Who has logrotate may rotate it, too: each line is written to whatever the name then stands for.
 */

const mostBytes = 1024 * 1024;
/** Beside the log itself: `update.log.1` is the newest. */
const keptLogs = 3;

/**
 * Begins the log anew where it has grown to its bound, and keeps the last ones as `.1` to `.3`. Several programs may do
 * so at once: whoever finds that another has been faster gives the few lines back. Throws what the system says.
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

/** Where the lines before the oldest of the log stand. */
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
