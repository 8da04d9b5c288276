import { Failure } from '../../system/failure.ts';
import { redact } from '../../system/redact.ts';
import type { Log } from '../../system/terminal/log.ts';
import { isSameState } from '../../transfer/download/validators.ts';
import type { ConnectionOptions } from '../../transfer/request/connection.ts';
import { type Credentials, readCredentials } from '../../transfer/request/credentials.ts';
import { askForFile, type RemoteFile } from '../../transfer/source/remote-file.ts';
import type { Device } from '../transaction/device.ts';
import { type LastInstalled, readLastInstalled } from './last-installed.ts';

/** The server's answer for a URL, and the options to fetch from there. */
export interface Probe {
  offer: RemoteFile;
  last: LastInstalled | undefined;
  /** The server still has what was installed last. */
  isUnchanged: boolean;
  line: ConnectionOptions & { tries: number; log: Log };
}

/**
 * Asks the server what it has, without fetching it; an install, its dry run and a check begin with this. `isForced` also
 * fetches the bundle that was installed last: the server is not asked whether it is unchanged. Throws a Failure.
 */
export async function probeBundle(
  url: string,
  isForced: boolean,
  { places, config, log, signal }: Device,
): Promise<Probe> {
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
  const last = isForced ? undefined : readLastInstalled(places, url);
  const offer = await askForFile({ ...line, have: last });
  const isUnchanged = last !== undefined && (offer.kind === 'unchanged' || isSameState(last, offer));
  return { offer, last, isUnchanged, line };
}

/**
 * Refuses to send credentials over plain http, even to localhost: a bundle server has https. Only a fleet's server may be
 * reached over plain http through a tunnel that ends on this device.
 */
function requireHttps(url: string, { headers }: Credentials): void {
  if (!url.startsWith('http:') || Object.keys(headers).length === 0) return;
  throw new Failure(`Cannot fetch "${redact(url)}": a token or password would go over plain http`, {
    outcome: 'usage',
    advice: 'Use https, or take token_file and basic_auth_file out of orchestrator.yaml',
  });
}
