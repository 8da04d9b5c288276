import type { Config } from '../../config/config.ts';
import { Failure } from '../../system/failure.ts';
import type { Places } from '../../system/places.ts';
import { redact } from '../../system/redact.ts';
import type { Log } from '../../system/terminal/log.ts';
import { isSameState } from '../../transfer/download/validators.ts';
import { type Credentials, readCredentials } from '../../transfer/request/credentials.ts';
import type { LineOptions } from '../../transfer/request/line.ts';
import { askForOffer, type Offer } from '../../transfer/source/offer.ts';
import { type LastInstall, readLastInstall } from './last-install.ts';

export interface ProbeWork {
  places: Places;
  config: Config;
  /** Also what was installed last is fetched: it is not asked whether the server still has it. */
  isForced?: boolean;
  log: Log;
  signal: AbortSignal;
}

/** What a server has at a URL, and what it takes to fetch it from there. */
export interface Probe {
  offer: Offer;
  last: LastInstall | undefined;
  /** The server still has what was installed last. */
  isUnchanged: boolean;
  line: LineOptions & { tries: number; log: Log };
}

/** The one question that an install, its dry run and a check begin with; nothing is fetched. Throws a Failure. */
export async function probeBundle(url: string, work: ProbeWork): Promise<Probe> {
  const { places, config, isForced = false, log, signal } = work;
  const { update } = config;
  const credentials = readCredentials(update);
  requireHttps(url, credentials);
  const line = {
    url,
    credentials,
    stallMs: update.stallSeconds * 1000,
    tries: update.fetchTries,
    log,
    signal,
  };
  const last = isForced ? undefined : readLastInstall(places, url);
  const offer = await askForOffer({ ...line, have: last });
  const isUnchanged = last !== undefined && (offer.kind === 'unchanged' || isSameState(last, offer));
  return { offer, last, isUnchanged, line };
}

/** A server for bundles needs no tunnel's end on this device, as a fleet's does: it has https. */
function requireHttps(url: string, { headers }: Credentials): void {
  if (!url.startsWith('http:') || Object.keys(headers).length === 0) return;
  throw new Failure(`Cannot fetch "${redact(url)}": a token or password would go over plain http`, {
    outcome: 'usage',
    advice: 'Use https, or take token_file and basic_auth_file out of orchestrator.yaml',
  });
}
