import { startUnit } from '../../stack/unit.ts';
import { reasonOf } from '../../system/failure.ts';
import { dropHold, isHeld, releaseThisBoot } from '../transaction/hold.ts';
import type { Boot } from './booted.ts';

/** Starts what the hold has kept from running, in this boot. */
export async function letRun({ config, places, running }: Boot): Promise<void> {
  if (!isHeld(places)) return;
  releaseThisBoot(places);
  const { unit } = config.update;
  await running.log.step('Starting', 'Started', `"${unit}"`, () => startUnit(unit));
}

/** The update is over. A data partition that cannot be written holds the next boot, too; this one runs. */
export function forgetHold({ places, running }: Boot): void {
  try {
    dropHold(places);
  } catch (error) {
    running.log.warn(`Cannot drop the hold, the next boot does: ${reasonOf(error)}`);
  }
}
