import type { UpdateWindow } from '../../config/schedule-keys.ts';
import { localTimeIn } from './local-time.ts';

/** Whether an update may be installed and rebooted into at this moment. */
export type WindowDecision =
  /** No window is configured: any time is as good. */
  | { kind: 'always' }
  /** `until`: when it closes; undefined where it never does. */
  | { kind: 'inside'; until: Date | undefined }
  /** `opens`: undefined where it does not within the next two weeks. */
  | { kind: 'outside'; opens: Date | undefined }
  /** The clock was never set: nobody can tell. */
  | { kind: 'unknown' };

export interface Schedule {
  windows: readonly UpdateWindow[];
  /** Undefined: the system's own. */
  timeZone: string | undefined;
}

/** A board without a battery starts in 1970, or where its image was made; before this nothing of ours existed. */
const firstTrusted = Date.UTC(2020, 0, 1);
const dayMs = 24 * 60 * 60_000;
/** A week, and one more where a zone skips a day (Pacific/Apia did, in 2011). */
const daysAhead = 15;

export function isClockTrusted(now: Date): boolean {
  return now.getTime() >= firstTrusted;
}

/**
 * The wall clock decides: what it shows in the time zone is in the window, or is not. So an hour that a clock change
 * skips opens nothing, and one that it repeats is open twice.
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
