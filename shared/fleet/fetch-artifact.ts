import { Failure } from '../system/failure.ts';
import { hashFile } from '../system/files/checksum.ts';
import { downloadFolderOf } from '../system/places.ts';
import { Download } from '../transfer/download/download.ts';
import { fetchBundle } from '../transfer/download/fetch.ts';
import type { Credentials } from '../transfer/request/credentials.ts';
import type { DdiServer } from '../transfer/request/ddi-line.ts';
import { isOpenToOthers } from '../transfer/request/plain-http.ts';
import { requireSpace } from '../update/admission/require-space.ts';
import type { LiveProgress } from '../update/install/live-progress.ts';
import type { Device } from '../update/transaction/device.ts';
import type { Artifact } from './deployment.ts';

const mebibyte = 1024 * 1024;
/** hawkBit notes each request, and accepts about a thousand for one action: 8 GiB in pieces of 16 MiB need half of them. */
const pieceBytes = 16 * mebibyte;

export interface FetchOptions {
  progress: LiveProgress;
  server: DdiServer;
  onPercent: (percent: number, what: string) => void;
}

/** Fetches the complete bundle into the download folder, and checks the server's checksum. Throws a Failure. */
export async function fetchArtifact(
  artifact: Artifact,
  options: FetchOptions,
  device: Device,
): Promise<void> {
  const { filename, sha256, url } = artifact;
  const { progress, server } = options;
  const { places, signal } = device;
  if (isOpenToOthers(url) && !isOpenToOthers(server.base))
    throw new Failure(
      `Cannot fetch "${url}": the link is plain http to another device, and "${server.base}" is not`,
    );
  const download = new Download(downloadFolderOf(places));
  const side = download.read();
  const isWhole = side?.isWhole === true && side.url === url;
  if (isWhole && (await isSame(download.path, sha256, signal))) return;
  progress.enter('fetching', `Fetching "${filename}"`);
  await progress.log.step('Fetching', 'Fetched', `"${filename}"`, () => fetch(artifact, options, device));
  if (await isSame(download.path, sha256, signal)) return;
  download.discard();
  throw new Failure(`Cannot use "${filename}": it has another checksum than the server says`, {
    outcome: 'signature',
  });
}

async function fetch(
  { filename, bytes, url }: Artifact,
  { progress, server, onPercent }: FetchOptions,
  device: Device,
): Promise<void> {
  const { update } = device.config;
  const folder = downloadFolderOf(device.places);
  const download = new Download(folder);
  const toCome = Math.max(0, bytes - download.occupiedBytes);
  const { freeForBundle } = requireSpace(filename, toCome, device);
  const mostBytes = Math.min(
    update.largestBundleMiB * mebibyte,
    freeForBundle + download.occupiedBytes,
    bytes,
  );
  await fetchBundle({
    url,
    credentials: credentialsFor(url, server),
    stallMs: update.stallSeconds * 1000,
    tries: update.fetchTries,
    log: progress.log,
    signal: device.signal,
    folder,
    mostBytes,
    largePieceBytes: pieceBytes,
    bytesPerSecond: update.limitRateKiB === undefined ? undefined : update.limitRateKiB * 1024,
    onProgress: (come, total) => {
      progress.fetched(come, total);
      onPercent((100 * come) / Math.max(1, bytes), `Fetching "${filename}"`);
    },
  });
}

/** Our credentials are sent only to the fleet's server, not to other servers that it names. */
function credentialsFor(url: string, { base, credentials }: DdiServer): Credentials {
  if (new URL(url).origin === new URL(base).origin) return credentials;
  const { ca } = credentials.tls ?? {};
  return { headers: {}, tls: ca === undefined ? undefined : { ca } };
}

/** True where the server sends no checksum: then only the signature decides. */
async function isSame(path: string, sha256: string | null, signal: AbortSignal): Promise<boolean> {
  return sha256 === null || (await hashFile(path, signal)) === sha256;
}
