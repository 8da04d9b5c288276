import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolder, writeDurably } from '../../system/files/durable-file.ts';
import type { Places } from '../../system/places.ts';

/** How often the trial was begun in this boot, this time included. Below /run: every reboot forgets it. */
export function countRun(places: Places): number {
  const file = join(places.run, 'trial-runs');
  const runs = readCount(file) + 1;
  try {
    makeFolder(places.run);
    writeDurably(file, `${runs}\n`);
  } catch {
    // It only bounds how often systemd tries again; the boot attempts bound all the rest.
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
