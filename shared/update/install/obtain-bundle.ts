import { statSync } from 'node:fs';
import { hashFile } from '../../system/files/checksum.ts';
import { formatBytes } from '../../system/files/disk.ts';
import { downloadFolderOf } from '../../system/places.ts';
import { Download } from '../../transfer/download/download.ts';
import type { DownloadState } from '../../transfer/download/download-notes.ts';
import { fetchBundle } from '../../transfer/download/fetch.ts';
import { isSameState } from '../../transfer/download/validators.ts';
import type { RemoteFile } from '../../transfer/source/remote-file.ts';
import { nameOf, type Source } from '../../transfer/source/source.ts';
import { spoolFile, spoolStdin } from '../../transfer/source/spool.ts';
import { requireSpace } from '../admission/require-space.ts';
import type { Device } from '../transaction/device.ts';
import type { LastInstalled } from './last-installed.ts';
import type { LiveProgress } from './live-progress.ts';
import { probeBundle } from './probe-bundle.ts';

/** The bundle as a file that RAUC can read; `unchanged` where it is the one that was installed last. */
export type Obtained =
  | { kind: 'unchanged'; last: LastInstalled }
  | {
      kind: 'bundle';
      file: string;
      /** Only from a server: the URL, and the values that identify this state of the bundle. */
      origin?: Pick<LastInstalled, 'url' | 'etag' | 'lastModified' | 'sha256' | 'bytes'>;
      /** Set where the file is our own copy, which is removed after the install. */
      copy?: Download;
      /** The copy comes from a file or stdin. Another run cannot use it, so it is removed when the program ends. */
      isPassing?: boolean;
    };

export interface ObtainOptions {
  /** Also fetches the bundle that was installed last. */
  isForced: boolean;
  limitRateKiB: number | undefined;
  progress: LiveProgress;
}

const mebibyte = 1024 * 1024;

/** Checks that there is space for the whole update, then gets the bundle. Throws a Failure. */
export async function obtainBundle(
  source: Source,
  options: ObtainOptions,
  device: Device,
): Promise<Obtained> {
  const { progress } = options;
  if (source.kind === 'url') return await fromServer(source.url, options, device);
  if (source.kind === 'file') return await fromFile(source.path, progress, device);
  const { freeForBundle } = requireSpace('stdin', 0, device);
  const size = { freeForBundle, totalBytes: undefined };
  const file = await spoolStdin(spoolOptions('stdin', size, progress, device));
  return { kind: 'bundle', file, copy: new Download(downloadFolderOf(device.places)), isPassing: true };
}

/** Used in place on the board's own partitions; copied from any other file system: a USB stick may be unplugged. */
async function fromFile(path: string, progress: LiveProgress, device: Device): Promise<Obtained> {
  const { places } = device;
  const { dev, size } = statSync(path);
  const isOnBoard = [places.data, places.root].some(
    (place) => statSync(place, { throwIfNoEntry: false })?.dev === dev,
  );
  const { freeForBundle } = requireSpace(path, isOnBoard ? 0 : size, device);
  if (isOnBoard) return { kind: 'bundle', file: path };
  progress.log.info(`Copying "${path}" to the data partition (${formatBytes(size)})`);
  const file = await spoolFile(
    path,
    spoolOptions(path, { freeForBundle, totalBytes: size }, progress, device),
  );
  return { kind: 'bundle', file, copy: new Download(downloadFolderOf(places)), isPassing: true };
}

function spoolOptions(
  name: string,
  { freeForBundle, totalBytes }: { freeForBundle: number; totalBytes: number | undefined },
  progress: LiveProgress,
  { places, config, signal }: Device,
) {
  progress.enter('fetching', `Reading ${name}`);
  return {
    folder: downloadFolderOf(places),
    name,
    mostBytes: Math.min(config.update.largestBundleMiB * mebibyte, freeForBundle),
    onProgress: (bytes: number) => progress.fetched(bytes, totalBytes),
    signal,
  };
}

async function fromServer(
  url: string,
  { isForced, limitRateKiB, progress }: ObtainOptions,
  device: Device,
): Promise<Obtained> {
  const { places, signal } = device;
  const { update } = device.config;
  const { log } = progress;
  if (url.startsWith('http:'))
    log.warn(
      'This is plain http: others on the network can read and change the bundle. Only its signature is trusted',
    );
  const name = nameOf({ kind: 'url', url });
  progress.enter('fetching', `Asking "${name}"`);
  const { offer, last, isUnchanged, line } = await probeBundle(url, isForced, { ...device, log });
  const folder = downloadFolderOf(places);
  const download = new Download(folder);
  const side = download.read();
  if (last !== undefined && isUnchanged) {
    // A run that was interrupted after it noted the install has left its bundle here.
    if (side === undefined || side.url === url) download.discard();
    return { kind: 'unchanged', last };
  }

  const isHere =
    side?.isWhole === true && side.url === url && offer.kind === 'offered' && isSameState(side, offer);
  const { freeForBundle } = requireSpace(name, isHere ? 0 : bytesToCome(offer, download), device);
  const { path, side: fetched } = isHere
    ? { path: download.path, side }
    : await log.step('Fetching', 'Fetched', `"${name}"`, () =>
        fetchBundle({
          ...line,
          folder,
          mostBytes: Math.min(update.largestBundleMiB * mebibyte, freeForBundle + download.occupiedBytes),
          bytesPerSecond: rateOf(limitRateKiB ?? update.limitRateKiB),
          onProgress: (bytes, totalBytes) => progress.fetched(bytes, totalBytes),
        }),
      );
  if (isHere) log.info('It has been fetched before, and is still the same');
  return await named({ path, side: fetched, url, last, download }, signal);
}

/** Without an ETag or Last-Modified, only the checksum shows whether this bundle was installed last. */
async function named(
  {
    path,
    side,
    url,
    last,
    download,
  }: { path: string; side: DownloadState; url: string; last: LastInstalled | undefined; download: Download },
  signal: AbortSignal,
): Promise<Obtained> {
  const { etag, lastModified } = side;
  const sha256 = etag === null && lastModified === null ? await hashFile(path, signal) : null;
  if (last !== undefined && sha256 !== null && last.sha256 === sha256) {
    download.discard();
    return { kind: 'unchanged', last };
  }
  const origin = { url, etag, lastModified, sha256, bytes: statSync(path).size };
  return { kind: 'bundle', file: path, origin, copy: download };
}

/** An earlier download on the disk is a part of this one, or is removed to make room for it. */
function bytesToCome(offer: RemoteFile, download: Download): number {
  const totalBytes = offer.kind === 'offered' ? (offer.totalBytes ?? 0) : 0;
  return Math.max(0, totalBytes - download.occupiedBytes);
}

function rateOf(kibibytes: number | undefined): number | undefined {
  return kibibytes === undefined ? undefined : kibibytes * 1024;
}
