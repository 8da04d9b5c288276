import { type Weekday, weekdays } from '../../config/schedule-keys.ts';
import { wallClockIn } from './local-time.ts';

/** Formats a moment as the local time of a zone, with the offset: a clock change may repeat an hour. */

/** For users: `Sun 2026-10-25 02:30 Europe/Berlin (+01:00)`. Undefined is the system's own zone. */
export function localText(at: Date, timeZone: string | undefined): string {
  const name = timeZone ?? new Intl.DateTimeFormat().resolvedOptions().timeZone;
  const { day, date, time, offset } = partsOf(at, timeZone);
  return `${capital(day)} ${date} ${time.slice(0, 5)} ${name} (${offset})`;
}

/** For programs: ISO 8601 with the zone's offset, `2026-10-25T02:30:00+01:00`. */
export function localIso(at: Date, timeZone: string | undefined): string {
  const { date, time, offset } = partsOf(at, timeZone);
  return `${date}T${time}${offset}`;
}

function partsOf(at: Date, timeZone: string | undefined) {
  const wholeSeconds = Math.floor(at.getTime() / 1000) * 1000;
  const shownMs = wallClockIn(timeZone)(wholeSeconds);
  const shown = new Date(shownMs);
  const [date = '', time = ''] = shown.toISOString().slice(0, 19).split('T');
  const day = weekdays[(shown.getUTCDay() + 6) % 7] ?? 'mon';
  return { day, date, time, offset: offsetText(Math.round((shownMs - wholeSeconds) / 60_000)) };
}

function offsetText(minutes: number): string {
  const [hours, rest] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60];
  const two = (number: number): string => String(number).padStart(2, '0');
  return `${minutes < 0 ? '-' : '+'}${two(hours)}:${two(rest)}`;
}

function capital(day: Weekday): string {
  return day.charAt(0).toUpperCase() + day.slice(1);
}
