import { writeSync } from 'node:fs';
import { errorCodeOf, Failure, reasonOf } from '../failure.ts';

/**
 * Writes all of the text, at once; returns whether the reader is still there. A reader that is gone (RAUC ended,
 * `| head`) must not leave a device half done: the text for it is dropped; the log file and the transaction still
 * have it. Throws a Failure if stdout cannot be written for another reason, such as a full disk behind `> file`: the
 * output is what was asked for. On stderr that reason could not be told.
 */
export function print(descriptor: 1 | 2, text: string): boolean {
  const bytes = Buffer.from(text);
  let written = 0;
  while (written < bytes.length) {
    try {
      written += writeSync(descriptor, bytes, written);
    } catch (error) {
      const code = errorCodeOf(error);
      if (code === 'EAGAIN') Bun.sleepSync(5);
      else if (code === 'EPIPE' || descriptor === 2) return false;
      else throw new Failure(`Cannot write to "stdout": ${reasonOf(error)}`, { cause: error });
    }
  }
  return true;
}
