import { requireUrl } from '../../config/config.ts';
import { readSystemConf } from '../../rauc/system-conf.ts';
import type { Outcome } from '../../system/exit-code.ts';
import { Failure } from '../../system/failure.ts';
import type { Running } from '../../system/process/program.ts';
import { redact } from '../../system/redact.ts';
import type { Values } from '../../system/terminal/arguments.ts';
import { print } from '../../system/terminal/print.ts';
import { parseSource } from '../../transfer/source/source.ts';
import { readAnnouncement } from '../install/bundle-announcement.ts';
import { decideAvailable } from '../install/decide-available.ts';
import { probeBundle } from '../install/probe-bundle.ts';
import { readRelease } from '../slot/release.ts';
import { openDevice, withConfig } from '../transaction/device.ts';
import { allTransactions } from '../transaction/transaction-store.ts';

const checkMs = 30 * 60_000;

/** Asks the server for a newer bundle; downloads no bundle and writes nothing. "Nothing new" is an answer, not a failure. */
export async function check(values: Values, running: Running): Promise<Outcome> {
  const device = withConfig(openDevice(values, running));
  const { places, config, log } = device;
  const source = parseSource(values.text('url') ?? requireUrl(config));
  if (source.kind !== 'url')
    throw new Failure('Cannot check a file or stdin: only a URL can be checked', {
      outcome: 'usage',
    });
  device.allow(checkMs);
  const { url } = source;
  const { offer, last, line } = await probeBundle(url, false, device);
  const latest = offer.kind === 'unchanged' ? undefined : await readAnnouncement(url, line, log);
  const runningVersion = readRelease(places.root);
  const compatible = readSystemConf(places.root)?.compatible;
  const transactions = allTransactions(places);
  const news = decideAvailable({ offer, last, latest, runningVersion, compatible, transactions });
  if (!values.flag('json')) {
    print(1, `${titles[String(news.isNewer)]}: ${news.reason}\n`);
    return 'done';
  }
  const version = latest?.version ?? (news.isNewer === false ? last?.version : undefined) ?? null;
  const answer = {
    format: 1,
    url: redact(url),
    isNewer: news.isNewer,
    reason: news.reason,
    version,
    description: latest?.description ?? null,
    bytes: offer.kind === 'offered' ? (offer.totalBytes ?? null) : (last?.bytes ?? null),
    runningVersion: runningVersion ?? null,
    lastInstall: last === undefined ? null : { version: last.version, at: last.at },
  };
  print(1, `${JSON.stringify(answer, undefined, 2)}\n`);
  return 'done';
}

const titles: Record<string, string> = { true: 'Newer', false: 'Nothing new', null: 'Perhaps newer' };
