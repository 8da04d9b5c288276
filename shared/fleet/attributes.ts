import type { Slots } from '../rauc/status.ts';
import { redact } from '../system/redact.ts';
import { lastStep, type Transaction } from '../update/transaction/transaction.ts';

/** The attributes of the device at the server (`configData`): for its filters, and for operators who look for a reason. */

export interface AttributeFacts {
  compatible: string | undefined;
  runningVersion: string | undefined;
  slots: Slots | undefined;
  raucVersion: string | undefined;
  programVersion: string;
  /** The last update that was closed. */
  last: Transaction | undefined;
}

/** hawkBit does not store longer ones. */
const longestKey = 32;
const longestValue = 128;

export function attributesOf(facts: AttributeFacts): Record<string, string> {
  const { compatible, runningVersion, slots, raucVersion, programVersion, last } = facts;
  const verdict = last === undefined ? undefined : lastStep(last);
  const attributes: Record<string, string | undefined> = {
    board: compatible,
    version: runningVersion,
    'rauc.version': raucVersion,
    'updater.version': programVersion,
    'update.verdict': verdict?.state,
    'update.version': last?.to.version ?? undefined,
    'update.at': verdict?.at,
    'update.reason': verdict === undefined ? undefined : redact(verdict.reason ?? '-'),
  };
  for (const { name, bootname, isBooted, bootStatus, version } of slots?.all ?? []) {
    if (bootname === undefined) continue;
    const held = (isBooted ? runningVersion : undefined) ?? version ?? 'unknown';
    const state = bootStatus === 'bad' ? ', spent' : bootStatus === 'unknown' ? ', boot status unknown' : '';
    attributes[`slot.${name}`] = `${held}${isBooted ? ', booted' : ''}${state}`;
  }
  return Object.fromEntries(
    Object.entries(attributes).flatMap(([key, value]) =>
      value === undefined || value === '' ? [] : [[key.slice(0, longestKey), value.slice(0, longestValue)]],
    ),
  );
}
