/** The time until the server is asked again. */

const usualMs = 5 * 60_000;
const shortestMs = 1_000;
const longestMs = 24 * 60 * 60_000;
/** The share by which the interval varies, up and down: devices that start together do not keep asking together. */
const spread = 0.1;
const firstRetryMs = 5_000;

/** Converts hawkBit's `HH:mm:ss` to milliseconds; five minutes where it is missing or has another form. */
export function intervalMs(sleep: string | undefined): number {
  const [, hours, minutes, seconds] = /^(\d{1,3}):([0-5]\d):([0-5]\d)$/.exec(sleep ?? '') ?? [];
  if (hours === undefined) return usualMs;
  const ms = (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * 1000;
  return Math.min(longestMs, Math.max(shortestMs, ms));
}

/** `chance` is from 0 to 1. */
export function withJitter(ms: number, chance: number): number {
  return Math.round(ms * (1 - spread + 2 * spread * chance));
}

/** The pause after the server was not reached: short at first, later as long as the server's own interval. */
export function afterFailureMs(failures: number, interval: number): number {
  return Math.min(Math.max(interval, firstRetryMs), firstRetryMs * 2 ** Math.min(failures - 1, 16));
}
