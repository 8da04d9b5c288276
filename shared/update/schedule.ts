import type { Config } from '../system/config.ts';
import { Failure } from '../system/failure.ts';
import type { Log } from '../system/log.ts';
import { decideWindow, type Schedule, type WindowDecision } from './window.ts';

/** The windows of a config, asked about a moment. */

function scheduleOf({ update: { windows, timeZone } }: Config): Schedule {
  return { windows, timeZone };
}

export function windowAt(config: Config, now: Date): WindowDecision {
  return decideWindow(scheduleOf(config), now);
}

/** Throws outside the window, where the config asks for one; what is needed for an install may be fetched before. */
export function requireWindow(config: Config, now: Date): void {
  if (config.update.installAt === 'any-time') return;
  const decision = windowAt(config, now);
  if (decision.kind === 'always' || decision.kind === 'inside') return;
  throw new Failure(`Cannot install now: ${wordsOfWindow(decision)}`, {
    outcome: 'outsideWindow',
    advice: 'Wait, or add --now',
  });
}

/** For a dry run: whether it would have to wait. */
export function tellWindow(config: Config, now: Date, log: Log): void {
  const decision = windowAt(config, now);
  if (config.update.installAt === 'any-time' || decision.kind === 'always' || decision.kind === 'inside')
    return;
  log.info(`It would be fetched now, and installed later: ${wordsOfWindow(decision)}`);
}

export function wordsOfWindow(decision: WindowDecision): string {
  switch (decision.kind) {
    case 'always':
      return 'updates may be installed at any time';
    case 'inside':
      return decision.until === undefined
        ? 'the update window is open, and stays so'
        : `the update window is open until ${decision.until.toISOString()}`;
    case 'outside':
      return decision.opens === undefined
        ? 'no update window opens within the next two weeks'
        : `the update window opens at ${decision.opens.toISOString()}`;
    case 'unknown':
      return 'the clock was never set, nobody can tell whether the update window is open';
  }
}
