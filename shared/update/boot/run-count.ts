import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolder, writeDurably } from '../../system/files/durable-file.ts';
import type { Places } from '../../system/places.ts';

/** Counts this run of the trial and returns how many began in this boot. The file is below /run, so every reboot resets it. */
export function countRun(places: Places): number {
  const file = join(places.run, 'trial-runs');
  const runs = readCount(file) + 1;
  try {
    makeFolder(places.run);
    writeDurably(file, `${runs}\n`);
  } catch {
    // Without the file only the limit on systemd's retries is lost; the boot attempts limit everything else.
  }
  return runs;
}

function readCount(file: string): number {
  try {
    return Number.parseInt(readFileSync(file, 'utf8'), 10) || 0;
  } catch {
    return 0;
  }
}
