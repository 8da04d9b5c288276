import { join } from 'node:path';
import type { Config } from '../../config/config.ts';
import { ensureImages, imagesOf } from '../../stack/images/images.ts';
import type { Places } from '../../system/places.ts';
import type { Running } from '../../system/process/program.ts';
import { findStack } from '../data/stack.ts';
import type { TransactionWriter } from '../transaction/transaction-writer.ts';

export interface FetchWork {
  slotMount: string;
  /** The mounted bundle; images that it carries need no network. */
  bundle: string;
  places: Places;
  config: Config;
  running: Running;
}

/** Fetches the images of the new version while the old one still runs. Throws a Failure that names image and reason. */
export async function fetchImages(record: TransactionWriter, work: FetchWork): Promise<void> {
  const { slotMount, bundle, places, config, running } = work;
  const { log, signal } = running;
  const next = await findStack(slotMount, places.data, config, signal);
  if (next === undefined) {
    log.info(`The new slot has no "${config.update.composeFile}": no images to fetch`);
    return;
  }
  await ensureImages({
    compose: next.compose,
    config: config.update,
    bundleImagesFolder: join(bundle, 'images'),
    log,
    signal,
  });
  const now = await findStack(places.root, places.data, config, signal);
  const from = now === undefined ? [] : imagesOf(now.compose);
  record.note({ images: { from, to: imagesOf(next.compose) } });
}
