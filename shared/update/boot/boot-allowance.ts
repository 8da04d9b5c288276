import type { UpdateConfig } from '../../config/config.ts';

/** For asking RAUC, marking and rebooting, beside the wait for health. */
const raucMs = 180_000;
/** For a dump and a restore, each with a deadline of its own. */
const dataMs = 4 * 60 * 60_000;

/**
 * How long a boot may take to its verdict, in milliseconds. The TimeoutStartSec of homie-post-activate.service is
 * longer than the longest that a config can ask for: systemd's SIGTERM would look like a reboot that somebody wants.
 */
export function bootAllowanceMs(
  update: Pick<UpdateConfig, 'healthDeadlineSeconds' | 'settleSeconds' | 'migrationLongestSeconds'>,
): number {
  const { healthDeadlineSeconds, settleSeconds, migrationLongestSeconds } = update;
  return (healthDeadlineSeconds + settleSeconds + migrationLongestSeconds) * 1000 + dataMs + raucMs;
}
