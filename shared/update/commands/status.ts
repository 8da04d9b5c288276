import { readSlots, type Slot, type Slots } from '../../rauc/status.ts';
import type { Values } from '../../system/arguments.ts';
import { columns } from '../../system/columns.ts';
import type { Outcome } from '../../system/exit-code.ts';
import { findPlaces, type Places } from '../../system/places.ts';
import { print } from '../../system/print.ts';
import type { Running } from '../../system/program.ts';
import { type CurrentTransaction, readTransaction } from '../journal.ts';
import { readRelease } from '../release.ts';
import { lastStep } from '../transaction.ts';

export async function tellStatus(values: Values, { signal }: Running): Promise<Outcome> {
  const places = findPlaces({ data: values.text('data') });
  const slots = await readSlots(signal);
  const current = readTransaction(places);
  print(
    1,
    values.flag('json')
      ? `${JSON.stringify(statusReport(places, slots, current), undefined, 2)}\n`
      : statusText(places, slots, current),
  );
  return 'done';
}

export type StatusReport = ReturnType<typeof statusReport>;

/** What `status --json` says, and the API. */
export function statusReport(places: Places, slots: Slots, current: CurrentTransaction) {
  return {
    format: 1,
    compatible: slots.compatible,
    version: readRelease(places.root) ?? null,
    booted: slots.booted?.name ?? null,
    primary: slots.primary?.name ?? null,
    slots: slots.all.map((slot) => ({
      name: slot.name,
      class: slot.class,
      device: slot.device,
      bootname: slot.bootname ?? null,
      isBooted: slot.isBooted,
      isGood: slot.isGood ?? null,
      version: versionIn(slot, places) ?? null,
    })),
    transaction: current.kind === 'known' ? current.transaction : null,
    transactionProblem: current.kind === 'damaged' ? current.reason : null,
  };
}

function statusText(places: Places, slots: Slots, current: CurrentTransaction): string {
  const rows = slots.all.map((slot) => [
    slot.name,
    slot.bootname ?? '',
    versionIn(slot, places) ?? 'unknown version',
    slot.isGood === undefined ? '' : slot.isGood ? 'good' : 'bad',
    [slot.isBooted ? 'booted' : '', slot === slots.primary ? 'primary' : '']
      .filter((word) => word !== '')
      .join(', '),
  ]);
  return `${columns(rows)}\n${transactionLine(current)}\n`;
}

function transactionLine(current: CurrentTransaction): string {
  if (current.kind === 'none') return 'No update of ours has run here yet.';
  if (current.kind === 'damaged') return `${current.reason}.`;
  const { state, at, reason } = lastStep(current.transaction);
  const { from, to } = current.transaction;
  const versions = `${from.version ?? 'unknown'} → ${to.version ?? 'unknown'}`;
  return `Last update ${versions}: ${state} at ${at}${reason === undefined ? '' : `, ${reason}`}.`;
}

/** RAUC knows what it installed; what runs says so itself. */
function versionIn(slot: Slot, places: Places): string | undefined {
  return (slot.isBooted ? readRelease(places.root) : undefined) ?? slot.version;
}
