import { readInhibit, reasonOfInhibit } from '../admission/inhibit.ts';
import { windowOf, wordsOfWindow } from '../schedule/schedule.ts';
import { bad, type Check, ok, warn } from './check-result.ts';

/** Checks whether something keeps updates from being installed, now or forever. */
export const schedule: Check = {
  name: 'schedule',
  async run(device, { now }) {
    const reason = reasonOfInhibit(readInhibit(device.places, now));
    if (reason !== undefined)
      return warn(
        `updates are inhibited${reason === '' ? '' : `: ${reason}`}`,
        'Remove update/inhibit to allow them',
      );
    const window = windowOf(device, now);
    if (window.kind === 'outside' && window.opens === undefined)
      return bad(wordsOfWindow(window), 'See update.windows in orchestrator.yaml');
    if (window.kind === 'unknown')
      return warn(
        wordsOfWindow(window),
        window.isConfigUnknown ? 'Correct orchestrator.yaml' : 'Set the clock',
      );
    return ok(wordsOfWindow(window));
  },
};
