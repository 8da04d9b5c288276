import { readLastError } from '../../rauc/last-error.ts';
import { slotsIfAnswered } from '../../rauc/status.ts';
import { gatherAnomalies } from '../report/gather-anomalies.ts';
import { type Check, ok, warn } from './check-result.ts';

/** Warns of anomalies in the history of updates. */
export const anomalies: Check = {
  name: 'history',
  async run({ places, signal }, { now }) {
    const slots = await slotsIfAnswered(signal);
    const lastError = await readLastError(signal);
    const found = gatherAnomalies(places, { booted: slots?.booted?.name, lastError }, now);
    if (found.length === 0) return ok('it shows nothing unusual');
    return warn(found.map(({ what }) => what).join('; '), 'Run update.sh history and update.sh log');
  },
};
