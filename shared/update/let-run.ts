import { startUnit } from '../stack/unit.ts';
import { reasonOf } from '../system/failure.ts';
import type { Places } from '../system/places.ts';
import type { Running } from '../system/program.ts';
import type { Boot } from './booted.ts';
import { dropHold, isHeld, releaseThisBoot } from './hold.ts';

/** Starts what the hold has kept from running. While the update is open the next boot is held, too. */
export async function letRun({ config, places, running }: Boot, isForGood: boolean): Promise<void> {
  const wasHeld = isHeld(places);
  if (wasHeld) releaseThisBoot(places);
  if (isForGood) forgetHold(places, running);
  if (!wasHeld) return;
  const { unit } = config.update;
  await running.log.step('Starting', 'Started', `"${unit}"`, () => startUnit(unit));
}

/** A data partition that cannot be written holds the next boot, too; this one runs. */
function forgetHold(places: Places, { log }: Running): void {
  try {
    dropHold(places);
  } catch (error) {
    log.warn(`Cannot drop the hold, the next boot does: ${reasonOf(error)}`);
  }
}
