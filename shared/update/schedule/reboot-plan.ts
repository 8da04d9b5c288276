import { rebootExpected, rebootPattern } from '../../config/schedule-keys.ts';
import { Failure } from '../../system/failure.ts';
import { decideWindow, type Schedule } from './window.ts';

/** When the device reboots into the installed version. */
export type RebootPlan =
  /** `minutes` from now; 0 is at once. */
  { kind: 'reboot'; minutes: number; at: Date } | { kind: 'none'; reason?: string };

/** Time for logged-in users to save their work, or to cancel the reboot. */
const usualMinutes = 1;

export interface RebootFacts {
  schedule: Schedule;
  now: Date;
}

/** The command line decides, else the config; else the reboot waits for a window if there is any. Throws a usage Failure. */
export function choosePolicy(
  asked: string | undefined,
  configured: string | undefined,
  windows: number,
): string {
  const policy = asked ?? configured ?? (windows > 0 ? 'window' : `+${usualMinutes}`);
  if (rebootPattern.test(policy)) return policy;
  throw new Failure(`Cannot read --reboot "${policy}": expected ${rebootExpected}`, { outcome: 'usage' });
}

/** `policy` is one of choosePolicy's. */
export function planReboot(policy: string, { schedule, now }: RebootFacts): RebootPlan {
  if (policy === 'no') return { kind: 'none' };
  if (policy !== 'window') return inMinutes(policy === 'now' ? 0 : Number(policy.slice(1)), now);
  const window = decideWindow(schedule, now);
  switch (window.kind) {
    case 'always':
    case 'inside':
      return inMinutes(usualMinutes, now);
    case 'unknown':
      return { kind: 'none', reason: 'the clock was never set, so it is unknown when the window opens' };
    case 'outside':
      if (window.opens === undefined)
        return { kind: 'none', reason: 'no window opens within the next two weeks' };
      return inMinutes(Math.ceil((window.opens.getTime() - now.getTime()) / 60_000), now);
  }
}

function inMinutes(minutes: number, now: Date): RebootPlan {
  return { kind: 'reboot', minutes, at: new Date(now.getTime() + minutes * 60_000) };
}
