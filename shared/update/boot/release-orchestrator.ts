import { startUnit } from '../../stack/unit.ts';
import { reasonOf } from '../../system/failure.ts';
import type { BareDevice, Device } from '../transaction/device.ts';
import { dropHold, isHeld, releaseThisBoot } from '../transaction/hold.ts';

/** Ends the hold for this boot and starts the orchestrator; does nothing when it is not held. */
export async function releaseOrchestrator({ config, places, log }: Device): Promise<void> {
  if (!isHeld(places)) return;
  releaseThisBoot(places);
  const { unit } = config.update;
  await log.step('Starting', 'Started', `"${unit}"`, () => startUnit(unit));
}

/**
 * Removes the hold when the update is over. If the data partition cannot be written, the hold also keeps the orchestrator
 * waiting in the next boot; in this boot it runs.
 */
export function forgetHold({ places, log }: BareDevice): void {
  try {
    dropHold(places);
  } catch (error) {
    log.warn(`Cannot drop the hold, the next boot does: ${reasonOf(error)}`);
  }
}
