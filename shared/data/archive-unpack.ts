import { createReadStream, createWriteStream, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createZstdDecompress } from 'node:zlib';
import { CommandFailure, type CommandResult, command } from '../system/command.ts';
import { makeFolder } from '../system/durable-file.ts';
import { errorCodeOf, Failure, reasonOf } from '../system/failure.ts';
import { verifyArchive } from './archive-check.ts';

export interface UnpackRequest {
  archive: string;
  /** A folder of its own beside the one that is to be replaced; what a run before has left there goes. */
  into: string;
  /** What the folder has to be called in the archive. */
  rootName: string;
  signal: AbortSignal;
}

const listMs = 600_000;
const unpackMs = 3_600_000;
/** Owners by number: the names of another slot's users are nobody's here. A time to come is no fault. */
const exactly = [
  '--numeric-owner',
  '--same-owner',
  '--same-permissions',
  '--xattrs',
  '--xattrs-include=*',
  '--warning=no-timestamp',
];

/**
 * Unpacks what createArchive() has written, whole and on the disk, and answers where the folder lies. An archive that
 * is damaged, of something else, or with a name outside its folder is refused. Throws a Failure, and leaves nothing.
 */
export async function unpackArchive(request: UnpackRequest): Promise<string> {
  const { archive, into, rootName, signal } = request;
  await verifyArchive(archive, { signal });
  rmSync(into, { recursive: true, force: true });
  try {
    makeFolder(into, 0o700);
    const tar = join(into, 'archive.tar');
    // Not by tar's own --zstd, which needs a program that a small system does not have.
    await pipeline(
      createReadStream(archive),
      createZstdDecompress(),
      createWriteStream(tar, { mode: 0o600 }),
      {
        signal,
      },
    );
    requireInside(archive, rootName, await namesIn(tar, signal));
    await command({
      deadlineMs: unpackMs,
      signal,
    })`tar --extract --file=${tar} --directory=${into} ${exactly}`;
    rmSync(tar);
    await command({ deadlineMs: listMs, signal })`sync --file-system ${into}`;
    const root = join(into, rootName);
    if (!statSync(root).isDirectory()) throw cannotRestore(archive, `"${rootName}" in it is no folder`);
    return root;
  } catch (error) {
    rmSync(into, { recursive: true, force: true });
    throw failureOf(archive, error, signal);
  }
}

/** With a newline or backslash escaped. As they stand there: tar would else cut what leads outside, and go on. */
async function namesIn(tar: string, signal: AbortSignal): Promise<string[]> {
  const list = command({ deadlineMs: listMs, signal });
  const { stdout } = await list`tar --list --absolute-names --quoting-style=escape --file=${tar}`;
  return stdout.split('\n').filter((name) => name !== '');
}

/** tar itself keeps symbolic links that lead outside from being followed, and hard links within. */
function requireInside(archive: string, rootName: string, names: readonly string[]): void {
  const outside = names.find((name) => name.startsWith('/') || name.split('/').includes('..'));
  if (outside !== undefined)
    throw cannotRestore(archive, `"${outside}" in it would lie outside of its folder`);
  const stranger = names.find((name) => name.split('/')[0] !== rootName);
  if (names.length === 0) throw cannotRestore(archive, 'it is empty');
  if (stranger !== undefined)
    throw cannotRestore(archive, `it holds "${stranger}", and not just "${rootName}"`);
}

function failureOf(archive: string, error: unknown, signal: AbortSignal): unknown {
  if (signal.aborted) return cannotRestore(archive, 'it was told to end', error);
  if (error instanceof CommandFailure) {
    if (/no space left|quota exceeded/i.test(error.stderr)) return isFull(archive, error);
    return cannotRestore(archive, lastLineOf(error) ?? reasonOf(error), error);
  }
  if (error instanceof Failure) return error;
  const code = errorCodeOf(error);
  if (code === 'ENOSPC' || code === 'EDQUOT') return isFull(archive, error);
  return code === undefined ? error : cannotRestore(archive, reasonOf(error), error);
}

/** Of tar's own lines the last only says that there was one before it. */
function lastLineOf({ stderr }: Pick<CommandResult, 'stderr'>): string | undefined {
  return stderr
    .split('\n')
    .map((line) => line.trim())
    .findLast((line) => line !== '' && !line.includes('Exiting with failure status'));
}

function isFull(archive: string, cause: unknown): Failure {
  return new Failure(`Cannot restore from "${archive}": no space left on the device`, {
    outcome: 'noSpace',
    advice: 'It needs about twice what it holds, beside what is there; free space and restore again',
    cause,
  });
}

function cannotRestore(archive: string, reason: string, cause?: unknown): Failure {
  return new Failure(`Cannot restore from "${archive}": ${reason}`, {
    advice: 'Nothing was replaced',
    cause,
  });
}
