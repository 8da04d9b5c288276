/** Set at build time: only programs built for tests can have a clock of their own. */
declare const HOMIE_FAULT_POINTS: boolean | undefined;

const tickMs = 1_000;
/** The time of the test clock: how long this program has paused. */
let pausedMs = 0;

/**
 * Milliseconds of a clock that date changes do not affect: a board without a battery starts in 1970 and jumps when
 * NTP answers. In a program built for tests, with `HOMIE_CLOCK=paused`, only pauses take time, of whole seconds, and
 * end at once: the program's decisions do not depend on how busy the machine is.
 */
export function steadyMs(): number {
  return isOwnClock() ? pausedMs : performance.now();
}

/** How many milliseconds a pause of `ms` really takes: none with the test clock, which moves forward instead. */
export function realMsOf(ms: number): number {
  if (!isOwnClock()) return ms;
  pausedMs += Math.ceil(ms / tickMs) * tickMs;
  return 0;
}

function isOwnClock(): boolean {
  if (typeof HOMIE_FAULT_POINTS === 'undefined' || !HOMIE_FAULT_POINTS) return false;
  return process.env['HOMIE_CLOCK'] === 'paused';
}
