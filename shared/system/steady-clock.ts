/** Set at build time: only programs built for tests can have a clock of their own. */
declare const HOMIE_FAULT_POINTS: boolean | undefined;

const tickMs = 1_000;
/** How long this program has paused, where its time is only that. */
let pausedMs = 0;

/**
 * Milliseconds of a clock that a changed date cannot bend: a board without a battery starts in 1970 and jumps when NTP
 * answers. In a program built for tests, with `HOMIE_CLOCK=paused`, only pauses take time, of whole
 * seconds, and are over at once: what it decides does not depend on how busy the machine is.
 */
export function steadyMs(): number {
  return isOwnClock() ? pausedMs : performance.now();
}

/** How long a pause of so many milliseconds really takes. Where only pauses take time, it is over then. */
export function realMsOf(ms: number): number {
  if (!isOwnClock()) return ms;
  pausedMs += Math.ceil(ms / tickMs) * tickMs;
  return 0;
}

function isOwnClock(): boolean {
  if (typeof HOMIE_FAULT_POINTS === 'undefined' || !HOMIE_FAULT_POINTS) return false;
  return process.env['HOMIE_CLOCK'] === 'paused';
}
