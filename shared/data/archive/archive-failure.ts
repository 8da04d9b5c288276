import { errorCodeOf, Failure, isMissing, reasonOf } from '../../system/failure.ts';
import { formatBytes } from '../../system/files/disk.ts';

const stillWritten = 'Something still writes to it: stop that and try again';

/** The path was in its folder's list, and is gone. */
export class Vanished extends Failure {
  constructor(path: string, cause: unknown) {
    const reason = 'it vanished while it was being backed up';
    super(`Cannot back up "${path}": ${reason}`, { advice: stillWritten, cause });
  }
}

/** A backup is whole or it fails: the Failure names the path that could not be read. */
export function cannotBackUp(path: string, error: unknown): Failure {
  if (error instanceof Failure) return error;
  if (isMissing(error)) return new Vanished(path, error);
  const [reason, advice] = [reasonOf(error), 'Check the disk and try again'];
  return new Failure(`Cannot back up "${path}": ${reason}`, { advice, cause: error });
}

export function shrankWhileBackedUp(path: string): Failure {
  return new Failure(`Cannot back up "${path}": it shrank while it was being backed up`, {
    advice: stillWritten,
  });
}

/** For a path that was a file and is now something else. */
export function changedWhileBackedUp(path: string): Failure {
  return new Failure(`Cannot back up "${path}": it is no longer a file`, { advice: stillWritten });
}

/** The Failure for an error on writing the archive. An error without a code is a bug of ours, and is returned unchanged. */
export function cannotWriteArchive(target: string, bytes: number, error: unknown): unknown {
  const code = errorCodeOf(error);
  if (error instanceof Failure || code === undefined) return error;
  const isFull = code === 'ENOSPC' || code === 'EDQUOT';
  return new Failure(
    `Cannot write the backup "${target}": ${reasonOf(error)}${isFull ? ` after ${formatBytes(bytes)}` : ''}`,
    {
      outcome: isFull ? 'noSpace' : 'failed',
      advice: isFull ? 'Free space there and try again' : 'Check the disk and try again',
      cause: error,
    },
  );
}
