import { errorCodeOf, Failure, reasonOf } from '../../system/failure.ts';
import { CommandFailure, type CommandResult } from '../../system/process/command.ts';

/** tar reports a write that a full disk has cut short as an error of its own. */
const fullDisk = /no space left|quota exceeded|wrote only \d+ of \d+ bytes/i;
const isNoReason = /Exiting with failure status|Error is not recoverable/;

/**
 * The Failure for an archive that could not be unpacked. An error without a code is a bug of ours, and is returned
 * unchanged.
 */
export function unpackFailureOf(archive: string, error: unknown, signal: AbortSignal): unknown {
  if (signal.aborted) return cannotRestore(archive, 'the program was stopped', error);
  if (error instanceof CommandFailure) {
    if (fullDisk.test(error.stderr)) return isFull(archive, error);
    return cannotRestore(archive, lastLineOf(error) ?? reasonOf(error), error);
  }
  if (error instanceof Failure) return error;
  const code = errorCodeOf(error);
  if (code === 'ENOSPC' || code === 'EDQUOT') return isFull(archive, error);
  return code === undefined ? error : cannotRestore(archive, reasonOf(error), error);
}

export function cannotRestore(archive: string, reason: string, cause?: unknown): Failure {
  return new Failure(`Cannot restore from "${archive}": ${reason}`, {
    advice: 'Nothing was replaced',
    cause,
  });
}

/** The last line that gives a reason: tar's very last line may only say that there was an earlier error. */
function lastLineOf({ stderr }: Pick<CommandResult, 'stderr'>): string | undefined {
  return stderr
    .split('\n')
    .map((line) => line.trim())
    .findLast((line) => line !== '' && !isNoReason.test(line));
}

function isFull(archive: string, cause: unknown): Failure {
  return new Failure(`Cannot restore from "${archive}": no space left on the device`, {
    outcome: 'noSpace',
    advice: 'It needs room for all that it holds, beside what is there; free space and restore again',
    cause,
  });
}
