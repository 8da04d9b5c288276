import { reasonOf } from '../../system/failure.ts';
import { command } from '../../system/process/command.ts';
import type { Log } from '../../system/terminal/log.ts';
import { imageId, listImages } from './image-engine.ts';
import { parseReference } from './image-reference.ts';

export interface PruneOptions {
  /** All images that the compose files of the running and the fallback slot name. */
  keep: readonly string[];
  log: Log;
  signal: AbortSignal;
}

const removeMs = 120_000;

/**
 * Removes the images that neither slot needs from the repositories of the kept ones, and returns their names. Never
 * removes an image of another repository, nor one that a container was made of: docker itself refuses that, and is
 * not forced. Warns about an image that cannot be removed.
 */
export async function pruneImages({ keep, log, signal }: PruneOptions): Promise<string[]> {
  const kept = keep.map(parseReference);
  const ids = new Set<string | undefined>();
  // Images are compared by id too: removing the last tag of an image also removes the digests by which a slot may know it.
  for (const image of keep) ids.add(await imageId(image, signal));
  const spare = (await listImages(signal)).filter(
    ({ repository, id }) => kept.some((one) => one.repository === repository) && !ids.has(id),
  );
  const removed: string[] = [];
  for (const { reference } of spare) {
    try {
      await command({ deadlineMs: removeMs, signal })`docker image rm ${reference}`;
      log.info(`Removed image "${reference}", which no slot needs any more`);
      removed.push(reference);
    } catch (error) {
      signal.throwIfAborted();
      log.warn(`Cannot remove image "${reference}": ${reasonOf(error)}`);
    }
  }
  return removed;
}
