import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import type { Slots } from '../rauc/status.ts';
import { makeFolder, writeDurably } from '../system/files/durable-file.ts';
import type { Places } from '../system/places.ts';

/** The slots as RAUC last reported them in this boot: while it installs, it does not answer. */

const slotSchema = v.object({
  name: v.string(),
  class: v.string(),
  device: v.string(),
  bootname: v.optional(v.string()),
  isBooted: v.boolean(),
  isGood: v.optional(v.boolean()),
  version: v.optional(v.string()),
});
const fileSchema = v.object({
  compatible: v.string(),
  primary: v.nullable(v.string()),
  all: v.array(slotSchema),
});

export function keepSlots(places: Places, { compatible, primary, all }: Slots): void {
  makeFolder(places.run);
  writeDurably(fileOf(places), `${JSON.stringify({ compatible, primary: primary?.name ?? null, all })}\n`);
}

/** Undefined where RAUC has not answered yet. */
export function lastSlots(places: Places): Slots | undefined {
  try {
    const { compatible, primary, all } = v.parse(
      fileSchema,
      JSON.parse(readFileSync(fileOf(places), 'utf8')),
    );
    const slots = all.map((slot) => ({
      ...slot,
      bootname: slot.bootname,
      isGood: slot.isGood,
      version: slot.version,
    }));
    return {
      compatible,
      all: slots,
      booted: slots.find(({ isBooted }) => isBooted),
      primary: slots.find(({ name }) => name === primary),
    };
  } catch {
    return undefined;
  }
}

function fileOf(places: Places): string {
  return join(places.run, 'slots.json');
}
