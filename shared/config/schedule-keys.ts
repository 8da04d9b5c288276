import * as v from 'valibot';
import { key } from './key.ts';
import { trueOrFalse } from './values.ts';

/** The config keys that say when updates may run. */

export const weekdays = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
export type Weekday = (typeof weekdays)[number];

/**
 * In minutes since midnight by the wall clock of the time zone. `to` itself is outside the window; if it is not after
 * `from`, it is on the next day.
 */
export interface UpdateWindow {
  days: readonly Weekday[];
  from: number;
  to: number;
}

/** Never open: for windows that cannot be read. */
export const shutWindows: { days: Weekday[]; from: number; to: number }[] = [{ days: [], from: 0, to: 1440 }];

export const rebootExpected = 'now, window, no, or a number of minutes like +5';
/** The forms of a reboot setting, in the config and on the command line; the longest delay is about a week. */
export const rebootPattern = /^(?:now|window|no|\+\d{1,4})$/;

const dayExpected = `a list of days, of ${weekdays.join(', ')}`;
const timeExpected = 'a time in quotes, like "02:30"';

const time = v.pipe(
  v.string(timeExpected),
  v.regex(/^(?:[01]\d|2[0-3]):[0-5]\d$|^24:00$/, timeExpected),
  v.transform((text) => {
    const [hours = 0, minutes = 0] = text.split(':').map(Number);
    return hours * 60 + minutes;
  }),
);

/** Without the check of `from` and `to`, so that the names of its keys can be read. */
export const windowSchema = v.strictObject(
  {
    days: v.optional(
      v.pipe(v.array(v.picklist(weekdays, dayExpected), dayExpected), v.minLength(1, dayExpected)),
      [...weekdays],
    ),
    from: time,
    to: time,
  },
  'a window, like { days: [sat, sun], from: "02:00", to: "04:30" }',
);

const windowList = v.array(
  v.pipe(
    windowSchema,
    v.check(({ from, to }) => from !== to, 'a window that ends at another time than it begins'),
    // From the end of a day to the begin of the next one: it would never open.
    v.check(({ from, to }) => from - to !== 1440, 'a window from "00:00" to "24:00" for the whole day'),
  ),
  'a list of windows',
);
const timeZone = v.pipe(
  v.string(),
  v.check(isTimeZone, 'the name of a time zone that this system knows, like Europe/Berlin'),
);
const rebootTime = v.pipe(v.string(rebootExpected), v.regex(rebootPattern, rebootExpected));

export const scheduleKeys = {
  windows: key('when updates may be installed and rebooted into; none: at any time', windowList, []),
  time_zone: key("the time zone of the windows; the system's by default", timeZone),
  install_at: key(
    'with `any-time` only the reboot waits for the window',
    v.picklist(['window', 'any-time'], 'window or any-time'),
    'window',
  ),
  reboot: key(
    'when to reboot after an install; by default `window` where there are windows, else `+1`',
    rebootTime,
  ),
  timer: key('`homie-update.timer` in new slots; by default as in the slot that runs', trueOrFalse),
};

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
