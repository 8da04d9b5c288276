import { reasonOf } from '../../system/failure.ts';
import { command } from '../../system/process/command.ts';
import type { Log } from '../../system/terminal/log.ts';
import { imageId, listImages } from './image-engine.ts';
import { parseReference } from './image-reference.ts';

export interface PruneOptions {
  /** All that the running and the fallback slot's compose files name. */
  keep: readonly string[];
  log: Log;
  signal: AbortSignal;
}

const removeMs = 120_000;

/**
 * Removes images of the kept ones' repositories that none of the two slots needs, and answers with their names. Never
 * an image of another repository, nor one that any container was made of: docker itself refuses that, and is not
 * forced. What cannot be removed is told.
 */
export async function pruneImages({ keep, log, signal }: PruneOptions): Promise<string[]> {
  const kept = keep.map(parseReference);
  const ids = new Set<string | undefined>();
  // By its id too: to take the last tag from an image takes the digests from it that a slot may know it by.
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
