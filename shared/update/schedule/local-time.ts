import { type Weekday, weekdays } from '../../config/schedule-keys.ts';

/** The time that the wall clock of a time zone shows. */
interface LocalTime {
  day: Weekday;
  /** The weekday of the previous day. */
  dayBefore: Weekday;
  /** Whole minutes since midnight. */
  minutes: number;
}

interface Clock {
  read(at: number): LocalTime;
  /**
   * Every instant between the two at which the clock reaches one of the times of day, and every instant at which it is
   * set forward or back; in order. Milliseconds of Unix time.
   */
  moments(from: number, until: number, minutesOfDay: readonly number[]): IteratorObject<number>;
}

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/**
 * Converts a moment to the local time of the zone, as if that were UTC; in milliseconds. The rules are the zone's own, as
 * this system knows them (ICU's); undefined is the system's zone.
 */
export function wallClockIn(timeZone: string | undefined): (at: number) => number {
  const format = new Intl.DateTimeFormat('en-US', {
    ...(timeZone === undefined ? {} : { timeZone }),
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  return (at) => {
    const part: Record<string, number> = {};
    for (const { type, value } of format.formatToParts(at)) part[type] = Number(value);
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = part;
    return Date.UTC(year, month - 1, day, hour, minute, second);
  };
}

export function localTimeIn(timeZone: string | undefined): Clock {
  const shownAt = wallClockIn(timeZone);
  const offsetAt = (at: number): number => shownAt(at) - Math.floor(at / 1000) * 1000;

  /** The instant between the two at which the zone's offset from UTC changes. */
  const changeBetween = (before: number, after: number): number => {
    const offset = offsetAt(before);
    let [low, high] = [before, after];
    while (high - low > 1000) {
      const middle = Math.floor((low + high) / 2 / 1000) * 1000;
      if (offsetAt(middle) === offset) low = middle;
      else high = middle;
    }
    return high;
  };

  /** The instants of the times of day, within a span in which the offset does not change. */
  const shownBetween = (begin: number, end: number, minutesOfDay: readonly number[]): number[] => {
    const shown = begin + offsetAt(begin);
    const midnight = Math.floor(shown / dayMs) * dayMs;
    return [midnight, midnight + dayMs]
      .flatMap((day) => minutesOfDay.map((minutes) => begin + day + minutes * minuteMs - shown))
      .filter((at) => at >= begin && at < end)
      .sort((one, other) => one - other);
  };

  return {
    read(at) {
      const shown = new Date(shownAt(at));
      return {
        day: dayOf(shown.getUTCDay()),
        dayBefore: dayOf(shown.getUTCDay() - 1),
        minutes: shown.getUTCHours() * 60 + shown.getUTCMinutes(),
      };
    },
    *moments(from, until, minutesOfDay) {
      for (let hour = Math.floor(from / hourMs) * hourMs; hour < until; hour += hourMs) {
        const end = hour + hourMs;
        if (offsetAt(hour) === offsetAt(end)) {
          yield* shownBetween(hour, end, minutesOfDay);
          continue;
        }
        const change = changeBetween(hour, end);
        yield* shownBetween(hour, change, minutesOfDay);
        yield change;
        yield* shownBetween(change, end, minutesOfDay);
      }
    },
  };
}

/** Sunday is 0 for JavaScript, and the last day of our week. */
function dayOf(javaScriptDay: number): Weekday {
  return weekdays[(javaScriptDay + 6 + 7) % 7] ?? 'mon';
}
