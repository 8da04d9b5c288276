import type { Config } from '../../config/config.ts';
import { Failure } from '../../system/failure.ts';
import type { Log } from '../../system/terminal/log.ts';
import { localText } from './local-text.ts';
import { decideWindow, type Schedule, type WindowDecision } from './window.ts';

/** Whether the update windows of a config are open at a moment. */

function scheduleOf({ update: { windows, timeZone } }: Config): Schedule {
  return { windows, timeZone };
}

/** `timeZone` is the zone for showing the times; undefined is the system's own. */
export type WindowStanding = WindowDecision & {
  timeZone?: string | undefined;
  /** The windows are unknown, because the config cannot be read. */
  isConfigUnknown?: true;
};

/** For programs that report the windows, and continue with an unreadable config. */
export function windowOf(
  { config, isConfigUnknown }: { config: Config; isConfigUnknown?: true },
  now: Date,
): WindowStanding {
  return isConfigUnknown ? { kind: 'unknown', isConfigUnknown } : windowAt(config, now);
}

export function windowAt(config: Config, now: Date): WindowStanding {
  const schedule = scheduleOf(config);
  return { ...decideWindow(schedule, now), timeZone: schedule.timeZone };
}

/** Throws a Failure outside the windows, unless the config allows any time. The bundle may be fetched before. */
export function requireWindow(config: Config, now: Date): void {
  if (config.update.installAt === 'any-time') return;
  const decision = windowAt(config, now);
  if (decision.kind === 'always' || decision.kind === 'inside') return;
  throw new Failure(`Cannot install now: ${wordsOfWindow(decision)}`, {
    outcome: 'outsideWindow',
    advice: 'Wait, or add --now',
  });
}

/** For a dry run: logs that the install would have to wait, where that is so. */
export function tellWindow(config: Config, now: Date, log: Log): void {
  const decision = windowAt(config, now);
  if (config.update.installAt === 'any-time' || decision.kind === 'always' || decision.kind === 'inside')
    return;
  log.info(`It would be downloaded now, and installed later: ${wordsOfWindow(decision)}`);
}

export function wordsOfWindow(decision: WindowStanding): string {
  switch (decision.kind) {
    case 'always':
      return 'updates may be installed at any time';
    case 'inside':
      return decision.until === undefined
        ? 'the update window is open, and stays so'
        : `the update window is open until ${localText(decision.until, decision.timeZone)}`;
    case 'outside':
      return decision.opens === undefined
        ? 'no update window opens within the next two weeks'
        : `the update window opens at ${localText(decision.opens, decision.timeZone)}`;
    case 'unknown':
      if (decision.isConfigUnknown)
        return 'the config cannot be read, so it is unknown whether the update window is open';
      return 'the clock was never set, so it is unknown whether the update window is open';
  }
}
