import { writeSync } from 'node:fs';
import { errorCodeOf } from '../failure.ts';

/**
 * Writes all of the text, at once. A reader that is gone (RAUC ended, `| head`) must not leave a device half done:
 * the text for it is dropped; the log file and the transaction still have it.
 */
export function print(descriptor: 1 | 2, text: string): void {
  const bytes = Buffer.from(text);
  let written = 0;
  while (written < bytes.length) {
    try {
      written += writeSync(descriptor, bytes, written);
    } catch (error) {
      if (errorCodeOf(error) !== 'EAGAIN') return;
      Bun.sleepSync(5);
    }
  }
}
