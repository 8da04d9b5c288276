import { command } from '../../system/process/command.ts';
import { cannotRestore } from './restore-failure.ts';

/** An hour for one that is read from a slow card. */
const listMs = 3_600_000;

/**
 * The names in a tar, with a newline or backslash escaped. As they stand there: tar would else cut what leads outside,
 * and go on. Throws CommandFailure.
 */
export async function namesIn(tar: AsyncIterable<Buffer>, signal: AbortSignal): Promise<string[]> {
  const list = command({ deadlineMs: listMs, signal, stdin: tar });
  const { stdout } = await list`tar --list --absolute-names --quoting-style=escape --file=-`;
  return stdout.split('\n').filter((name) => name !== '');
}

/** tar itself keeps symbolic links that lead outside from being followed, and hard links within. */
export function requireInside(archive: string, rootName: string, names: readonly string[]): void {
  const outside = names.find((name) => name.startsWith('/') || name.split('/').includes('..'));
  if (outside !== undefined)
    throw cannotRestore(archive, `"${outside}" in it would lie outside of its folder`);
  const stranger = names.find((name) => name.split('/')[0] !== rootName);
  if (names.length === 0) throw cannotRestore(archive, 'it is empty');
  if (stranger !== undefined)
    throw cannotRestore(archive, `it holds "${stranger}", and not just "${rootName}"`);
}
