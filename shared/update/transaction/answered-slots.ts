import { type Slots, slotsIfAnswered } from '../../rauc/status.ts';
import { Failure } from '../../system/failure.ts';
import type { Running } from '../../system/process/program.ts';

/**
 * The slots; undefined where RAUC does not answer. Throws a busy Failure where RAUC is busy: then it is installing, perhaps
 * for another program.
 */
export async function answeredSlots({ signal }: Pick<Running, 'signal'>): Promise<Slots | undefined> {
  return await slotsIfAnswered(signal, (error) => {
    if (error instanceof Failure && error.outcome === 'busy') throw error;
  });
}
