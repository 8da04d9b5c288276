import { inspectBundle } from '../../rauc/info.ts';
import type { Outcome } from '../../system/exit-code.ts';
import { Failure } from '../../system/failure.ts';
import { formatBytes } from '../../system/files/disk.ts';
import { nameOf, type Source } from '../../transfer/source/source.ts';
import { requireAdmission, requireStanding } from '../admission/admit.ts';
import { requireSpace } from '../admission/require-space.ts';
import type { Device } from '../transaction/device.ts';
import { requireFree } from '../transaction/update-lock.ts';
import { probeBundle } from './probe-bundle.ts';
import { fateOf } from './unchanged.ts';

/** Logs what an install would do, as far as that is known without fetching or writing. Throws a Failure. */
export async function planInstall(source: Source, isForced: boolean, device: Device): Promise<Outcome> {
  const { places, log, signal } = device;
  await requireFree(device);
  requireStanding(nameOf(source), places);
  if (source.kind === 'url') return await planFetch(source.url, isForced, device);
  if (source.kind === 'stdin')
    throw new Failure('Cannot do a dry run with stdin: it would have to be read', {
      outcome: 'usage',
    });
  const { path } = source;
  requireSpace(path, 0, device);
  const info = await log.step('Verifying', 'Verified', `"${path}"`, () => inspectBundle(path, signal));
  const { version } = requireAdmission(path, info, { isForced, isDryRun: true }, device);
  log.info(`Would install version "${version}" from "${path}"`);
  return 'done';
}

async function planFetch(url: string, isForced: boolean, device: Device): Promise<Outcome> {
  const { places, log } = device;
  const { offer, last, isUnchanged } = await probeBundle(url, isForced, device);
  if (last !== undefined && isUnchanged) {
    log.info(`Would fetch nothing: the server still has version "${last.version}", ${fateOf(last, places)}`);
    return 'done';
  }
  const totalBytes = offer.kind === 'offered' ? offer.totalBytes : undefined;
  requireSpace(url, totalBytes ?? 0, device);
  const size = totalBytes === undefined ? 'of unknown size' : `(${formatBytes(totalBytes)})`;
  log.info(`Would fetch "${url}" ${size}, verify it, and install it if that is allowed`);
  return 'done';
}
