import {
  chmodSync,
  chownSync,
  closeSync,
  copyFileSync,
  existsSync,
  fsyncSync,
  openSync,
  rmSync,
  statSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { errorCodeOf, Failure, reasonOf } from '../../system/failure.ts';
import { checkSaved } from '../../system/files/checksum.ts';
import { renameDurably } from '../../system/files/durable-file.ts';
import { CommandFailure } from '../../system/process/command.ts';
import type { Log } from '../../system/terminal/log.ts';
import type { Redis } from './redis.ts';
import { findWriteLogs, replaceWriteLog } from './redis-write-log.ts';

/**
 * Replaces the files that redis reads at its next start by a file of saveRedis(); redis has to be stopped. A redis
 * with a log of its writes reads only that log, which is therefore restarted from the saved file. Throws a Failure.
 */
export async function restoreRedis(
  request: Redis & { saved: string; file: string; log: Log },
): Promise<void> {
  const { saved, file, dataFolder, service, log, signal } = request;
  await checkSaved(saved, signal);
  if (await isRunning(request))
    throw cannotRestore(service, saved, 'it runs, and would write over it', `Stop "${service}" first`);
  log.info(`Restoring "${service}" from "${saved}"`);
  const live = join(dataFolder, file);
  try {
    for (const writeLog of findWriteLogs(dirname(live))) {
      log.info(`Starting its log of writes "${writeLog.path}" again`);
      replaceWriteLog(writeLog, saved, copyInPlace);
    }
    copyInPlace(saved, live);
  } catch (error) {
    if (errorCodeOf(error) === undefined) throw error;
    throw cannotRestore(service, saved, reasonOf(error), 'Check the disk and restore again', error);
  }
  log.info(`Restored "${service}"`);
}

async function isRunning({ containers, service, signal }: Redis): Promise<boolean> {
  try {
    await containers.exec(service, ['true'], { deadlineMs: 60_000, signal });
    return true;
  } catch (error) {
    // After a timeout the state is unknown; any other failure means that there is no running container.
    if (error instanceof CommandFailure ? error.exitCode === undefined : !(error instanceof Failure))
      throw error;
    return false;
  }
}

/**
 * The name stands for the old file or the whole new one at every moment. Redis is not root and has to be able to read
 * the file: it gets the owner and mode of the old file, or the owner of the folder if there was no file.
 */
function copyInPlace(from: string, to: string): void {
  const part = `${to}.part`;
  const isThere = existsSync(to);
  const { uid, gid, mode } = statSync(isThere ? to : dirname(to));
  try {
    copyFileSync(from, part);
    chownSync(part, uid, gid);
    chmodSync(part, isThere ? mode & 0o777 : 0o600);
    const descriptor = openSync(part, 'r+');
    try {
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameDurably(part, to);
  } catch (error) {
    rmSync(part, { force: true });
    throw error;
  }
}

function cannotRestore(
  service: string,
  saved: string,
  reason: string,
  advice: string,
  cause?: unknown,
): Failure {
  const outcome = errorCodeOf(cause) === 'ENOSPC' ? 'noSpace' : 'failed';
  return new Failure(`Cannot restore "${service}" from "${saved}": ${reason}`, { advice, cause, outcome });
}
