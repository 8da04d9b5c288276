/** How long until the server is asked again. */

const usualMs = 5 * 60_000;
const shortestMs = 1_000;
const longestMs = 24 * 60 * 60_000;
/** Of the interval, to both sides: devices that were started together do not stay together. */
const spread = 0.1;
const firstRetryMs = 5_000;

/** hawkBit's `HH:mm:ss`; five minutes where it says nothing that is known. */
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

/** Where the server was not reached: soon at first, then no more often than it wants to be asked. */
export function afterFailureMs(failures: number, interval: number): number {
  return Math.min(Math.max(interval, firstRetryMs), firstRetryMs * 2 ** Math.min(failures - 1, 16));
}
