import semver from 'semver';
import type { LoggedRefusal } from '../admission/refusal-log.ts';
import { isClockTrusted } from '../schedule/window.ts';
import {
  isVerdict,
  lastStep,
  type State,
  stateOf,
  type Transaction,
  trialBoots,
} from '../transaction/transaction.ts';

/** An unusual event in the history of updates, which an operator should look at. */
export interface Anomaly {
  kind: 'signature' | 'same-version-fails' | 'version-back' | 'slot-switch' | 'unexplained-reboots';
  /** Stays the same for the same event, so that it is reported once. */
  id: string;
  what: string;
  /** When it was seen last, ISO 8601. */
  at: string;
}

export interface AnomalyFacts {
  /** Every update this device has seen, oldest first, each in its last state. */
  updates: readonly Transaction[];
  refusals: readonly LoggedRefusal[];
  bootId: string;
  /** The booted slot's name; undefined where RAUC does not answer. */
  booted: string | undefined;
  now: Date;
}

/** Older refusals are not reported. */
const refusalDays = 30;
/** How many of the last updates are looked at: older ones have been reported before. */
const mostUpdates = 10;
const operatorsWish = 'an operator asked for it';

export function findAnomalies(facts: AnomalyFacts): Anomaly[] {
  return [
    ...findRefusedSignatures(facts),
    ...findRepeatedFailures(facts),
    ...findVersionBack(facts),
    ...findSlotSwitch(facts),
    ...findUnexplainedReboots(facts),
  ];
}

/** One for each source and reason: a timer that tries the same bundle every day does not cause a report every day. */
function findRefusedSignatures({ refusals, now }: AnomalyFacts): Anomaly[] {
  const since = now.getTime() - refusalDays * 24 * 60 * 60_000;
  const recent = refusals.filter(
    ({ outcome, at }) => outcome === 'signature' && (!isClockTrusted(now) || Date.parse(at) >= since),
  );
  const bySource = Map.groupBy(recent, ({ source, reason }) => `${source}\n${reason}`);
  return [...bySource.values()].flatMap((same) => {
    const last = same.at(-1);
    if (last === undefined) return [];
    const times = same.length === 1 ? '' : `${same.length} times, `;
    return {
      kind: 'signature' as const,
      id: `signature:${last.source}:${last.reason}`,
      what: `the signature of "${last.source}" was refused (${times}${last.reason})`,
      at: last.at,
    };
  });
}

function findRepeatedFailures({ updates }: AnomalyFacts): Anomaly[] {
  const recent = updates.slice(-mostUpdates);
  return [...Map.groupBy(recent, ({ to }) => to.version ?? 'unknown')].flatMap(([version, same]) => {
    const failures = same
      .slice(same.findLastIndex((one) => hasState(one, 'committed')) + 1)
      .filter(hasFailed);
    const last = failures.at(-1);
    if (last === undefined || failures.length < 2) return [];
    const { at, state, reason } = lastStep(last);
    return {
      kind: 'same-version-fails' as const,
      id: `same-version-fails:${version}:${failures.length}`,
      what: `version "${version}" has failed ${failures.length} times, last as "${state}"${reason === undefined ? '' : `: ${reason}`}`,
      at,
    };
  });
}

function findVersionBack({ updates }: AnomalyFacts): Anomaly[] {
  const committed = updates.slice(-mostUpdates).filter((one) => stateOf(one) === 'committed');
  const [before, last] = committed.slice(-2);
  const [older, newer] = [last?.to.version ?? null, before?.to.version ?? null];
  if (last === undefined || older === null || newer === null) return [];
  if (semver.valid(older) === null || semver.valid(newer) === null || !semver.lt(older, newer)) return [];
  return [
    {
      kind: 'version-back',
      id: `version-back:${last.id}`,
      what: `version "${older}" was committed after the newer "${newer}"`,
      at: lastStep(last).at,
    },
  ];
}

/** Reported only after a reboot: a switch that our own programs make takes effect with it. */
function findSlotSwitch({ updates, booted, bootId }: AnomalyFacts): Anomaly[] {
  const last = updates.at(-1);
  if (last === undefined || booted === undefined || last.to.slot === null || !last.isClosed) return [];
  const { at, bootId: lastBoot } = lastStep(last);
  const state = stateOf(last);
  if (lastBoot === bootId || !isVerdict(state)) return [];
  const isExpected = (booted === last.to.slot) === (state === 'committed');
  if (isExpected) return [];
  return [
    {
      kind: 'slot-switch',
      id: `slot-switch:${last.id}:${state}:${booted}`,
      what: `slot "${booted}" runs, though the last update, to "${last.to.version ?? 'unknown'}" in slot "${last.to.slot}", was ${state}: no program on this device asked for the switch`,
      at,
    },
  ];
}

/** A trial takes one boot; a boot that ended in an announced reboot does not count, its attempt is given back. */
function findUnexplainedReboots({ updates }: AnomalyFacts): Anomaly[] {
  const last = updates.at(-1);
  if (last === undefined) return [];
  const boots = trialBoots(last);
  const unexplained = boots - 1;
  const { at } = lastStep(last);
  const version = last.to.version ?? 'unknown';
  if (stateOf(last) === 'fallen-back') {
    const how = boots === 0 ? 'and no boot came up' : `${boots} of them came up`;
    return [
      {
        kind: 'unexplained-reboots',
        id: `unexplained-reboots:${last.id}:fallen-back`,
        what: `version "${version}" has used up its boot attempts, ${how}`,
        at,
      },
    ];
  }
  if (unexplained < 1) return [];
  return [
    {
      kind: 'unexplained-reboots',
      id: `unexplained-reboots:${last.id}:${unexplained}`,
      what: `the trial of version "${version}" was interrupted by ${unexplained === 1 ? 'a reboot' : `${unexplained} reboots`} that no program requested (power, a crash, the watchdog)`,
      at,
    },
  ];
}

function hasState({ steps }: Transaction, state: State): boolean {
  return steps.some((step) => step.state === state);
}

function hasFailed(transaction: Transaction): boolean {
  const { reason } = lastStep(transaction);
  const state = stateOf(transaction);
  if (reason === operatorsWish || reason?.startsWith('replaced by ') === true) return false;
  return state === 'failed' || state === 'rolled-back' || state === 'fallen-back';
}
