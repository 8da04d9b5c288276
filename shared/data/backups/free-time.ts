import { existsSync } from 'node:fs';

/**
 * The first second from `at` at which none of the files exists: a clock that restarts at each boot gives the same
 * time again, and the second backup would replace the first.
 */
export function freeTime(at: Date, filesAt: (at: Date) => readonly string[]): Date {
  let time = at;
  while (filesAt(time).some((path) => existsSync(path))) time = new Date(time.getTime() + 1000);
  return time;
}
