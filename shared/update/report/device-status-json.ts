import type { Slot } from '../../rauc/status.ts';
import { localIso } from '../schedule/local-text.ts';
import { contentOf } from '../transaction/transaction.ts';
import type { DeviceStatus } from './device-status.ts';

/** The parts of a standing as `--json` prints them; docs/schema/ describes each. Fields are only ever added. */

export function slotsJson({ slots, runningVersion }: DeviceStatus) {
  return (slots?.all ?? []).map((slot) => ({
    name: slot.name,
    class: slot.class,
    device: slot.device,
    bootname: slot.bootname ?? null,
    isBooted: slot.isBooted,
    isGood: slot.bootStatus === 'good' ? true : slot.bootStatus === 'bad' ? false : null,
    bootStatus: slot.bootStatus ?? null,
    version: versionIn(slot, runningVersion) ?? null,
  }));
}

/** The running system names its version itself; for the other slot RAUC knows the version that it installed. */
export function versionIn(slot: Slot, runningVersion: string | undefined): string | undefined {
  return (slot.isBooted ? runningVersion : undefined) ?? slot.version;
}

export function scheduleJson({ window, inhibit, scheduled }: DeviceStatus) {
  const timeIn = (at: Date | undefined) => (at === undefined ? null : localIso(at, window.timeZone));
  return {
    window: {
      kind: window.kind,
      until: window.kind === 'inside' ? timeIn(window.until) : null,
      opens: window.kind === 'outside' ? timeIn(window.opens) : null,
    },
    inhibit:
      inhibit.kind === 'inhibited'
        ? { reason: inhibit.reason, until: inhibit.until?.toISOString() ?? null }
        : null,
    scheduled: scheduled === undefined ? null : { mode: scheduled.mode, at: scheduled.at.toISOString() },
  };
}

export function transactionJson({ current }: DeviceStatus) {
  return {
    transaction: current.kind === 'known' ? contentOf(current.transaction) : null,
    transactionProblem: current.kind === 'damaged' ? current.reason : null,
  };
}
