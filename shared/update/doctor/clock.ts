import { command } from '../../system/process/command.ts';
import { isClockTrusted } from '../schedule/window.ts';
import { bad, type Check, type Judgement, ok, warn } from './check-result.ts';

/** Checks the clock: with a clock that was never set every certificate is refused, and no window ever opens. */

export interface ClockFacts {
  now: Date;
  /** What systemd reports about the time service; undefined when it does not answer. */
  isSynchronized: boolean | undefined;
}

const askMs = 15_000;

export const clock: Check = {
  name: 'clock',
  async run({ signal }, { now }) {
    const ask = command({ deadlineMs: askMs, accept: 'any', signal });
    const answer = await ask`timedatectl show --property=NTPSynchronized --value`.catch(() => {
      signal.throwIfAborted();
      return undefined;
    });
    const isSynchronized = { yes: true, no: false }[answer?.stdout.trim() ?? ''];
    return judgeClock({ now, isSynchronized });
  },
};

export function judgeClock({ now, isSynchronized }: ClockFacts): Judgement {
  const shown = now.toISOString().slice(0, 19).replace('T', ' ');
  if (!isClockTrusted(now))
    return bad(
      `it says ${shown}: it was never set`,
      'See "timedatectl"; the network, or a clock with a battery, sets it',
    );
  if (isSynchronized === true) return ok(`it says ${shown} UTC, set over the network`);
  return warn(
    `it says ${shown} UTC; ${isSynchronized === false ? 'it is not set over the network' : 'it is unknown whether it is right'}`,
    'See "timedatectl"',
  );
}
