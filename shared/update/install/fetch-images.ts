import { join } from 'node:path';
import { ensureImages, imagesOf } from '../../stack/images/images.ts';
import { findStack } from '../data/stack.ts';
import type { Device } from '../transaction/device.ts';
import type { TransactionWriter } from '../transaction/transaction-writer.ts';

/**
 * Fetches the images of the new version while the old one still runs; those that the mounted `bundle` carries need no network.
 * Throws a Failure that names image and reason.
 */
export async function fetchImages(
  record: TransactionWriter,
  { slotMount, bundle }: { slotMount: string; bundle: string },
  { places, config, log, signal }: Device,
): Promise<void> {
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
