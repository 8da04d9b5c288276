import { Failure, reasonOf } from '../../system/failure.ts';
import { DdiLine, DdiRefusal, ddiServerOf } from '../../transfer/request/ddi-line.ts';
import { controllerIdOf } from '../slot/controller-id.ts';
import { bad, type Check, ok, warn } from './check-result.ts';

/** Checks whether the fleet's server lets this device in. */
export const fleet: Check = {
  name: 'fleet',
  async run({ places, config, signal }) {
    const { fleet: wanted } = config.update;
    if (wanted === undefined) return ok('the device belongs to no fleet');
    try {
      const id = controllerIdOf(wanted, places);
      await new DdiLine(ddiServerOf(wanted, id, config.update), signal, 1).get();
      return ok(`"${wanted.url}" accepts this device, as "${id}"`);
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof DdiRefusal || !(error instanceof Failure) || error.outcome === 'usage')
        return bad(reasonOf(error), adviceOf(error));
      return warn(reasonOf(error), 'No update comes from there until it answers');
    }
  },
};

function adviceOf(error: unknown): string {
  return (error instanceof Failure ? error.advice : undefined) ?? 'See docs/fleet.md';
}
