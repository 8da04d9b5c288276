import type { Config } from '../../config/config.ts';
import { inspectBundle } from '../../rauc/info.ts';
import type { Outcome } from '../../system/exit-code.ts';
import { Failure } from '../../system/failure.ts';
import { formatBytes } from '../../system/files/disk.ts';
import type { Places } from '../../system/places.ts';
import type { Running } from '../../system/process/program.ts';
import { nameOf, type Source } from '../../transfer/source/source.ts';
import { requireAdmission, requireStanding } from '../admission/admit.ts';
import { requireSpace } from '../admission/require-space.ts';
import { requireIdle } from '../transaction/install-lock.ts';
import { probeBundle } from './probe-bundle.ts';
import { fateOf } from './unchanged.ts';

export interface Plan {
  places: Places;
  config: Config;
  isForced: boolean;
  running: Running;
}

/** Logs what an install would do, as far as that is known without fetching or writing. Throws a Failure. */
export async function planInstall(source: Source, plan: Plan): Promise<Outcome> {
  const { places, running } = plan;
  requireIdle(places);
  requireStanding(nameOf(source), places);
  if (source.kind === 'url') return await planFetch(source.url, plan);
  if (source.kind === 'stdin')
    throw new Failure('Cannot say what would be done with stdin: it would have to be read', {
      outcome: 'usage',
    });
  const { path } = source;
  const { log, signal } = running;
  requireSpace(path, 0, plan);
  const info = await log.step('Verifying', 'Verified', `"${path}"`, () => inspectBundle(path, signal));
  const { version } = requireAdmission(path, info, { ...plan, isDryRun: true });
  log.info(`Would install version "${version}" from "${path}"`);
  return 'done';
}

async function planFetch(url: string, { places, config, isForced, running }: Plan): Promise<Outcome> {
  const { log, signal } = running;
  const { offer, last, isUnchanged } = await probeBundle(url, { places, config, isForced, log, signal });
  if (last !== undefined && isUnchanged) {
    log.info(`Would fetch nothing: the server still has version "${last.version}", ${fateOf(last, places)}`);
    return 'done';
  }
  const totalBytes = offer.kind === 'offered' ? offer.totalBytes : undefined;
  requireSpace(url, totalBytes ?? 0, { places, config });
  const size = totalBytes === undefined ? 'of unknown size' : `(${formatBytes(totalBytes)})`;
  log.info(`Would fetch "${url}" ${size}, verify it, and install it where it may be`);
  return 'done';
}
