import * as v from 'valibot';
import type { Slots } from '../rauc/status.ts';
import { runFolderOf, StateFile } from '../system/files/state-file.ts';
import type { Places } from '../system/places.ts';

/** The slots as RAUC last reported them in this boot: while it installs, it does not answer. */

const slotSchema = v.object({
  name: v.string(),
  class: v.string(),
  device: v.string(),
  bootname: v.optional(v.string()),
  isBooted: v.boolean(),
  bootStatus: v.optional(v.picklist(['good', 'bad', 'unknown'])),
  version: v.optional(v.string()),
});
const fileSchema = v.object({
  compatible: v.string(),
  primary: v.nullable(v.string()),
  all: v.array(slotSchema),
  answer: v.record(v.string(), v.unknown()),
});

const slotsFile = new StateFile(fileSchema, 'slots.json', { folder: runFolderOf });

export function keepSlots(places: Places, { compatible, primary, all, answer }: Slots): void {
  slotsFile.write(places, { compatible, primary: primary?.name ?? null, all: [...all], answer });
}

/** Undefined where RAUC has not answered yet. */
export function lastSlots(places: Places): Slots | undefined {
  const found = slotsFile.read(places);
  if (found === undefined) return undefined;
  const { compatible, primary, answer } = found;
  const all = found.all.map((slot) => ({
    ...slot,
    bootname: slot.bootname,
    bootStatus: slot.bootStatus,
    version: slot.version,
  }));
  return {
    compatible,
    all,
    booted: all.find(({ isBooted }) => isBooted),
    primary: all.find(({ name }) => name === primary),
    answer,
  };
}
