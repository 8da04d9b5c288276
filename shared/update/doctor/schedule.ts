import { readInhibit, reasonOfInhibit } from '../admission/inhibit.ts';
import { windowAt, wordsOfWindow } from '../schedule/schedule.ts';
import { bad, type Check, ok, warn } from './check-result.ts';

/** Checks whether something keeps updates from being installed, now or forever. */
export const schedule: Check = {
  name: 'schedule',
  async run({ places, config }, { now }) {
    const reason = reasonOfInhibit(readInhibit(places, now));
    if (reason !== undefined)
      return warn(
        `updates are inhibited${reason === '' ? '' : `: ${reason}`}`,
        'Remove update/inhibit to allow them',
      );
    const window = windowAt(config, now);
    if (window.kind === 'outside' && window.opens === undefined)
      return bad(wordsOfWindow(window), 'See update.windows in orchestrator.yaml');
    if (window.kind === 'unknown') return warn(wordsOfWindow(window), 'Set the clock');
    return ok(wordsOfWindow(window));
  },
};
