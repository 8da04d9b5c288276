import type { UpdateWindow } from '../../config/schedule-keys.ts';
import { localTimeIn } from './local-time.ts';

/** Whether an update may be installed and rebooted into at this moment. */
export type WindowDecision =
  /** No window is configured: any time is allowed. */
  | { kind: 'always' }
  /** `until`: when it closes; undefined where it never does. */
  | { kind: 'inside'; until: Date | undefined }
  /** `opens`: undefined where no window opens within the next two weeks. */
  | { kind: 'outside'; opens: Date | undefined }
  /** The clock was never set, so it is unknown whether a window is open. */
  | { kind: 'unknown' };

export interface Schedule {
  windows: readonly UpdateWindow[];
  /** Undefined: the system's own. */
  timeZone: string | undefined;
}

/** A board without a clock battery starts in 1970, or at the build time of its image. This program is newer than 2020. */
const firstTrusted = Date.UTC(2020, 0, 1);
const dayMs = 24 * 60 * 60_000;
/** One week, and a second one in case a zone skips a day (Pacific/Apia did, in 2011). */
const daysAhead = 15;

export function isClockTrusted(now: Date): boolean {
  return now.getTime() >= firstTrusted;
}

/**
 * The local time in the time zone decides. So an hour that a clock change skips opens no window, and an hour that it
 * repeats is open twice.
 */
export function decideWindow({ windows, timeZone }: Schedule, now: Date): WindowDecision {
  if (windows.length === 0) return { kind: 'always' };
  if (!isClockTrusted(now)) return { kind: 'unknown' };
  const localTime = localTimeIn(timeZone);
  const isInside = (at: number): boolean => windows.some((window) => isIn(window, localTime.read(at)));
  const wanted = !isInside(now.getTime());
  const times = [...new Set(windows.flatMap(({ from, to }) => [from, to % 1440, 0]))];
  const change = localTime
    .moments(now.getTime(), now.getTime() + daysAhead * dayMs, times)
    .find((at) => at > now.getTime() && isInside(at) === wanted);
  const changes = change === undefined ? undefined : new Date(change);
  return wanted ? { kind: 'outside', opens: changes } : { kind: 'inside', until: changes };
}

/** A window that goes over midnight belongs to the day it begins on. */
function isIn({ days, from, to }: UpdateWindow, { day, dayBefore, minutes }: LocalTime): boolean {
  if (to > from) return days.includes(day) && minutes >= from && minutes < to;
  return (days.includes(day) && minutes >= from) || (days.includes(dayBefore) && minutes < to);
}

type LocalTime = ReturnType<ReturnType<typeof localTimeIn>['read']>;
