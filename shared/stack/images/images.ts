import type { UpdateConfig } from '../../config/config.ts';
import { Deadline } from '../../system/deadline.ts';
import { formatBytes, freeBytesOn } from '../../system/files/disk.ts';
import type { Log } from '../../system/terminal/log.ts';
import type { Compose } from '../compose.ts';
import { askEngine, type Engine, imageId, listImages } from './image-engine.ts';
import { type Layers, readLayers } from './image-layers.ts';
import { findImageFiles, loadImages, needsOf } from './image-load.ts';
import { pullImage } from './image-pull.ts';
import { parseReference } from './image-reference.ts';
import { neededBytes, noNeeds, requireSpace, type SpaceNeeds } from './image-space.ts';
import type { Patience } from './pull-trouble.ts';

export interface ImagesOptions {
  /** The new version's compose file. */
  compose: Pick<Compose, 'services'>;
  config: Pick<UpdateConfig, 'pullDeadlineSeconds' | 'reserveMiB'>;
  /** Files that `docker save` wrote, for an update without network. */
  bundleImagesFolder?: string;
  log: Log;
  signal: AbortSignal;
  patience?: Patience;
}

export interface ImageReport {
  present: readonly string[];
  /** The bundle's image files. */
  loaded: readonly string[];
  pulled: readonly string[];
}

/** The images that the compose file's services are made of, each once. */
export function imagesOf(compose: Pick<Compose, 'services'>): string[] {
  return [...new Set(compose.services().flatMap(({ image }) => image ?? []))];
}

/**
 * Makes every image available: from the bundle's files first, then from the registries, all within the pull deadline.
 * Never removes an image for it. Throws a Failure that names image and reason.
 */
export async function ensureImages(options: ImagesOptions): Promise<ImageReport> {
  const { compose, config, bundleImagesFolder, log, signal } = options;
  const deadline = new Deadline(config.pullDeadlineSeconds * 1000);
  const wanted = imagesOf(compose);
  let missing = await withoutPresent(wanted, signal);
  const present = wanted.filter((image) => !missing.includes(image));
  if (missing.length === 0) {
    log.info('All images of the new version are here already');
    return { present, loaded: [], pulled: [] };
  }
  const engine = await askEngine(signal);
  const reserveBytes = config.reserveMiB * 1024 * 1024;
  const files = findImageFiles(bundleImagesFolder);
  const loaded: string[] = [];
  if (files.length > 0) requireSpaceFor({ ...noNeeds, ...needsOf(files) }, engine, reserveBytes, log);
  for (const file of files) {
    if (missing.length === 0) break;
    await log.step('Loading', 'Loaded', `images of "${file}"`, () =>
      loadImages(file, deadline.leftMs, signal),
    );
    loaded.push(file);
    missing = await withoutPresent(missing, signal);
  }
  if (missing.length > 0)
    requireSpaceFor(await pullNeeds(missing, engine, signal), engine, reserveBytes, log);
  for (const image of missing)
    await log.step('Pulling', 'Pulled', `image "${image}"`, () => pullImage(image, { ...options, deadline }));
  return { present, loaded, pulled: missing };
}

async function withoutPresent(images: readonly string[], signal: AbortSignal): Promise<string[]> {
  const missing: string[] = [];
  for (const image of images) if ((await imageId(image, signal)) === undefined) missing.push(image);
  return missing;
}

function requireSpaceFor(needs: SpaceNeeds, { rootFolder }: Engine, reserveBytes: number, log: Log): void {
  const needed = neededBytes(needs, reserveBytes);
  const freeBytes = freeBytesOn(rootFolder);
  log.info(`Images need about ${formatBytes(needed)} on "${rootFolder}", free are ${formatBytes(freeBytes)}`);
  requireSpace(rootFolder, freeBytes, needed);
}

/** Does not count layers that are already here with images of the same repositories: docker does not fetch them again. */
async function pullNeeds(
  images: readonly string[],
  { machine }: Engine,
  signal: AbortSignal,
): Promise<SpaceNeeds> {
  const layers = new Map<string, number>();
  let unknownImages = 0;
  for (const image of images) {
    const own = await readLayers(image, machine, signal);
    if (own === undefined) unknownImages += 1;
    for (const [digest, bytes] of own ?? []) layers.set(digest, bytes);
  }
  for (const known of layers.size === 0 ? [] : await presentLayers(images, machine, signal))
    for (const digest of known.keys()) layers.delete(digest);
  const layerBytes = [...layers.values()].reduce((sum, bytes) => sum + bytes, 0);
  return { ...noNeeds, layerBytes, unknownImages };
}

async function presentLayers(
  images: readonly string[],
  machine: string,
  signal: AbortSignal,
): Promise<Layers[]> {
  const repositories = new Set(images.map((image) => parseReference(image).repository));
  const relatives = (await listImages(signal)).filter(({ repository }) => repositories.has(repository));
  const found: Layers[] = [];
  for (const { repository, digest } of relatives)
    if (digest !== undefined)
      found.push((await readLayers(`${repository}@${digest}`, machine, signal)) ?? new Map());
  return found;
}
