import type { Config } from '../config/config.ts';
import type { Places } from '../system/places.ts';
import { command } from '../system/process/command.ts';
import { readInhibit, reasonOfInhibit } from '../update/admission/inhibit.ts';
import { windowAt, wordsOfWindow } from '../update/schedule/schedule.ts';
import { lastStep, stateOf, type Transaction } from '../update/transaction/transaction.ts';
import { allTransactions } from '../update/transaction/transaction-store.ts';
import type { FleetAction } from './action.ts';
import type { FoundTransaction } from './decide-step.ts';

/** The facts of this board that decide the next step of an action. */

export function foundTransaction(action: FleetAction, places: Places): FoundTransaction | undefined {
  const found = transactionOf(action, places);
  if (found === undefined) return undefined;
  const { reason } = lastStep(found);
  return { state: stateOf(found), reason, isClosed: found.isClosed };
}

/** The transaction that the action's install has opened: of the action's version, and newer than `before`. */
export function transactionOf({ version, before }: FleetAction, places: Places): Transaction | undefined {
  const all = allTransactions(places);
  const known = all.findLastIndex(({ id }) => id === before);
  return all.slice(known + 1).findLast(({ to }) => to.version === version);
}

export function obstacleOf(places: Places, now: Date): string | undefined {
  const inhibit = reasonOfInhibit(readInhibit(places, now));
  return inhibit === undefined
    ? undefined
    : `updates are inhibited on the device${inhibit === '' ? '' : `: ${inhibit}`}`;
}

export function closedWindow(config: Config, now: Date): string | undefined {
  const window = windowAt(config, now);
  return window.kind === 'always' || window.kind === 'inside' ? undefined : wordsOfWindow(window);
}

/** Why the agent may not reboot. Checked in each round, so that our window and the server's are both open at the reboot. */
export function rebootObstacle(config: Config, now: Date): string | undefined {
  if (config.update.reboot === 'no') return 'a user has to reboot (update.reboot is no)';
  const closed = closedWindow(config, now);
  return closed !== undefined && (config.update.reboot ?? 'window') === 'window' ? closed : undefined;
}

export async function raucVersion(signal: AbortSignal): Promise<string | undefined> {
  try {
    const { stdout } = await command({ deadlineMs: 15_000, signal })`rauc --version`;
    return /^rauc (\S+)/.exec(stdout)?.[1];
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
}
