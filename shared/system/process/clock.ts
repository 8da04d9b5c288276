import { Deadline, pause } from '../deadline.ts';
import type { Log } from '../terminal/log.ts';
import { CommandFailure, command } from './command.ts';

/** Waits for a correct clock: a board without a battery starts in 1970, and then no certificate is valid yet. */

const askMs = 5_000;
const usualLongestMs = 20_000;
const usualPauseMs = 500;
/** No release of ours is older: a clock before it is wrong, even if systemd reports that it is synchronised. */
const earliest = Date.UTC(2024, 0, 1);

/**
 * Waits until the clock is synchronised, for 20 s at most, then continues with a warning; if the state is unknown, it
 * continues at once. A later step that needs the time (certificates) reports a wrong clock.
 */
export async function waitForClock(
  { log, signal }: { log: Log; signal: AbortSignal },
  { longestMs = usualLongestMs, pauseMs = usualPauseMs } = {},
): Promise<void> {
  const deadline = new Deadline(longestMs);
  let isTold = false;
  while (await isKnownUnsynchronised(signal)) {
    if (deadline.isOver) {
      log.warn(`The clock is not synchronised: continuing with ${new Date().toISOString()}`);
      return;
    }
    if (!isTold) log.info('Waiting for the clock to be synchronised');
    isTold = true;
    await pause(Math.min(pauseMs, deadline.leftMs), signal);
  }
  if (Date.now() < earliest) log.warn(`The clock is wrong: continuing with ${new Date().toISOString()}`);
}

/** Reads `timedatectl`, in the words of systemd 229 to 257. Without systemd the state is unknown: false. */
async function isKnownUnsynchronised(signal: AbortSignal): Promise<boolean> {
  try {
    const { stdout } = await command({ deadlineMs: askMs, signal })`timedatectl status`;
    return /^\s*(?:System clock|NTP) synchronized: no$/m.test(stdout);
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof CommandFailure) return false;
    throw error;
  }
}
