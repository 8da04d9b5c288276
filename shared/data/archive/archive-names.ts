import { command } from '../../system/process/command.ts';
import { cannotRestore } from './unpack-failure.ts';

/** An hour, enough for an archive on a slow card. */
const listMs = 3_600_000;

/**
 * Lists the names in a tar, with a newline or backslash escaped. Names that lead outside are listed unchanged: by
 * default tar would shorten them and continue. Throws CommandFailure.
 */
export async function namesIn(tar: AsyncIterable<Buffer>, signal: AbortSignal): Promise<string[]> {
  const list = command({ deadlineMs: listMs, signal, stdin: tar });
  const { stdout } = await list`tar --list --absolute-names --quoting-style=escape --file=-`;
  return stdout.split('\n').filter((name) => name !== '');
}

/**
 * Throws a Failure for a name outside the folder `rootName`. Links are tar's own task: it does not follow symbolic
 * links that lead outside, and keeps hard links inside.
 */
export function requireInside(archive: string, rootName: string, names: readonly string[]): void {
  const outside = names.find((name) => name.startsWith('/') || name.split('/').includes('..'));
  if (outside !== undefined)
    throw cannotRestore(archive, `"${outside}" in it would lie outside of its folder`);
  const stranger = names.find((name) => name.split('/')[0] !== rootName);
  if (names.length === 0) throw cannotRestore(archive, 'it is empty');
  if (stranger !== undefined)
    throw cannotRestore(archive, `it holds "${stranger}", and not just "${rootName}"`);
}
