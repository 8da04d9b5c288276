import { type Config, readConfig } from '../../config/config.ts';
import { Failure, reasonOf } from '../../system/failure.ts';
import type { Places } from '../../system/places.ts';
import { command } from '../../system/process/command.ts';
import type { Log } from '../../system/terminal/log.ts';
import { postJson } from '../../transfer/request/http.ts';
import { noteDirectRefusal } from '../admission/rauc-refusal.ts';
import { readRelease } from '../slot/release.ts';
import type { BareDevice } from '../transaction/device.ts';
import { readHistory } from '../transaction/transaction-store.ts';
import { gatherAnomalies } from './gather-anomalies.ts';
import { type Notified, readNotified, writeNotified } from './notified.ts';
import { sentBefore, unsentVerdicts, verdictId, verdictMessageOf } from './verdict-message.ts';

const commandMs = 15_000;
const webhookMs = 10_000;

/**
 * When the program ends, in any way: logs new anomalies as warnings, and sends each new verdict to the command and the
 * webhook of the config. A failure here is logged, is tried again next time, and does not affect the update. `booted` is
 * called only then.
 */
export function oweNotifications(
  { places, log, undo }: BareDevice,
  booted: () => string | undefined = () => undefined,
): void {
  undo.owe('report what is new', async () => {
    try {
      await tellNews(places, booted(), log);
    } catch (error) {
      log.warn(`Cannot report what is new: ${reasonOf(error)}`);
    }
  });
}

async function tellNews(places: Places, booted: string | undefined, log: Log): Promise<void> {
  const told = readNotified(places);
  await noteDirectRefusal(places, log);
  const anomalies = gatherAnomalies(places, { booted }, new Date());
  const fresh = anomalies.filter(({ id }) => !told.anomalies.includes(id));
  for (const { what } of fresh) log.warn(`Warning: ${what}`);
  let now: Notified = { ...told, anomalies: [...told.anomalies, ...fresh.map(({ id }) => id)] };
  if (fresh.length > 0) writeNotified(places, now);

  const { verdictCommand, verdictWebhook } = readConfig(places).update;
  if (verdictCommand === undefined && verdictWebhook === undefined) return;
  const history = readHistory(places);
  const running = readRelease(places.root);
  for (const transaction of unsentVerdicts(history, now)) {
    await deliver(JSON.stringify(verdictMessageOf(transaction, running, anomalies)), {
      verdictCommand,
      verdictWebhook,
    });
    now = { ...now, verdicts: [...sentBefore(history, now), verdictId(transaction)] };
    writeNotified(places, now);
  }
}

/** Sends to the command first, then to the webhook. If the command fails, the webhook is not called. */
async function deliver(
  json: string,
  { verdictCommand, verdictWebhook }: Pick<Config['update'], 'verdictCommand' | 'verdictWebhook'>,
): Promise<void> {
  if (verdictCommand !== undefined)
    await command({ deadlineMs: commandMs, stdin: lineOf(json) })`${verdictCommand}`;
  if (verdictWebhook === undefined) return;
  const status = await postJson(verdictWebhook, json, webhookMs);
  if (status < 200 || status > 299) throw new Failure(`"${verdictWebhook}" answered with ${status}`);
}

async function* lineOf(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(`${text}\n`);
}
