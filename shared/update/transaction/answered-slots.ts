import { type Slots, slotsIfAnswered } from '../../rauc/status.ts';
import { Failure } from '../../system/failure.ts';
import type { Running } from '../../system/process/program.ts';

/**
 * A RAUC that is busy is installing, for whomever: that is thrown, as a busy Failure. One that does not answer only
 * hides the slots.
 */
export async function answeredSlots({ signal }: Pick<Running, 'signal'>): Promise<Slots | undefined> {
  return await slotsIfAnswered(signal, (error) => {
    if (error instanceof Failure && error.outcome === 'busy') throw error;
  });
}
