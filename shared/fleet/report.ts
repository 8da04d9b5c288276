import type { Outcome } from '../system/exit-code.ts';
import { logFileOf } from '../system/places.ts';
import type { Running } from '../system/process/program.ts';
import type { Values } from '../system/terminal/arguments.ts';
import { DdiLine, DdiRefusal } from '../transfer/request/ddi-line.ts';
import { openDevice, withConfig } from '../update/transaction/device.ts';
import { lastStep, type Transaction } from '../update/transaction/transaction.ts';
import { readHistory } from '../update/transaction/transaction-store.ts';
import { decideReport } from './decide-report.ts';
import { isOffer, parseBase, parseDeployment } from './deployment.ts';
import { closed } from './feedback.ts';
import { HomieDevice } from './homie-device.ts';
import { fleetServerOf } from './server.ts';

const reportMs = 5 * 60_000;

/**
 * Reports to the server what the reboot has proved, for a device with another client (rauc-hawkbit-updater), which closes
 * the action when RAUC is done. Closes an action that is still open; one that is closed already cannot be opened again, and
 * its verdict is only in the target's attributes. Throws a Failure.
 */
export async function report(values: Values, running: Running): Promise<Outcome> {
  running.allow(reportMs);
  const device = withConfig(openDevice(values, running));
  const { places, log, signal } = device;
  const { server } = fleetServerOf(device);
  log.alsoTo(logFileOf(places));
  const line = new DdiLine(server, signal);
  const homie = new HomieDevice(device, server);
  const { links } = parseBase(await line.get());
  await line.send('PUT', links.configData ?? `${server.base}/configData`, {
    mode: 'merge',
    data: await homie.attributes(),
    status: { execution: 'closed', result: { finished: 'success' }, details: [] },
  });
  const last = readHistory(places).at(-1);
  log.info(last === undefined ? 'Reported: no update has ended here' : `Reported: ${wordsOf(last)}`);
  const href = links.deploymentBase ?? links.installedBase;
  const named = href === undefined ? undefined : parseDeployment(await line.get(href));
  const verdict = decideReport(last, named !== undefined && isOffer(named) ? named.version : undefined);
  if (named === undefined || verdict === undefined) return 'done';
  const feedback = closed(named.actionId, verdict, homie.logTail());
  try {
    await line.send('POST', `${server.base}/deploymentBase/${named.actionId}/feedback`, feedback);
    log.info(`Closed action ${named.actionId}: ${verdict.reason}`);
  } catch (error) {
    if (!(error instanceof DdiRefusal) || (error.status !== 410 && error.status !== 404)) throw error;
    log.info(`Action ${named.actionId} is closed already; the verdict is among the target's attributes`);
  }
  return 'done';
}

function wordsOf(last: Transaction): string {
  return `version "${last.to.version}", ${lastStep(last).state}`;
}
