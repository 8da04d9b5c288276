/** How long to wait before the next try, after failed ones. */

const firstMs = 100;
const longestMs = 60_000;
/** A server may ask for any number of seconds; this one is as good as never. */
const longestAskedMs = 366 * 24 * 60 * 60_000;

/**
 * Doubles with each failed try, and is spread over its upper half, so that the devices of a fleet that lost its
 * server do not all come back at once. `chance` is from 0 to 1.
 */
export function backoffMs(triesInVain: number, chance: number): number {
  const most = Math.min(longestMs, firstMs * 2 ** Math.min(triesInVain, 20));
  return Math.round(most * (0.5 + chance / 2));
}

/** What `Retry-After` asks for, in milliseconds from now: seconds, or a date (RFC 9110, 10.2.3). */
export function retryAfterMs(header: string | null, now: Date): number | undefined {
  if (header === null) return undefined;
  const text = header.trim();
  if (/^\d+$/.test(text)) return Math.min(longestAskedMs, Number(text) * 1000);
  const at = /GMT$/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(at) ? undefined : Math.min(longestAskedMs, Math.max(0, at - now.getTime()));
}
