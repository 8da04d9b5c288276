import type { Outcome } from '../system/exit-code.ts';
import { Failure } from '../system/failure.ts';
import { logFileOf } from '../system/places.ts';
import type { Running } from '../system/process/program.ts';
import type { Values } from '../system/terminal/arguments.ts';
import { openDevice } from '../update/transaction/device.ts';
import { readAction, writeAction } from './action.ts';

/** Notes the yes or no of a user at the device to the server's action, where the agent finds it. Throws a Failure. */
export function giveConsent(values: Values, running: Running): Outcome {
  const { places, log } = openDevice(values, running);
  const consent = values.text('answer') === 'yes' ? 'yes' : 'no';
  const action = readAction(places);
  if (action === undefined || (action.stage !== 'fetching' && action.stage !== 'fetched'))
    throw new Failure('Cannot answer: no action of the fleet waits for it', { outcome: 'failed' });
  log.alsoTo(logFileOf(places));
  writeAction(places, { ...action, consent });
  log.info(`Said ${consent} to action ${action.actionId}, version "${action.version}"`);
  return 'done';
}
