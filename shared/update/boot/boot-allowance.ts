import type { UpdateConfig } from '../../config/config.ts';

/** Time to ask RAUC, mark the slot and reboot, in addition to the wait for health. */
const raucMs = 180_000;
/** Time for a dump and a restore; each also has its own deadline. */
const dataMs = 4 * 60 * 60_000;

/**
 * How long a boot may take until its verdict, in milliseconds. The TimeoutStartSec of homie-post-activate.service is longer
 * than the longest time that a config can ask for: systemd's SIGTERM would look like a reboot that an operator wants.
 */
export function bootAllowanceMs(
  update: Pick<UpdateConfig, 'healthDeadlineSeconds' | 'settleSeconds' | 'migrationLongestSeconds'>,
): number {
  const { healthDeadlineSeconds, settleSeconds, migrationLongestSeconds } = update;
  return (healthDeadlineSeconds + settleSeconds + migrationLongestSeconds) * 1000 + dataMs + raucMs;
}
