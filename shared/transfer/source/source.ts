import { readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Failure, reasonOf } from '../../system/failure.ts';
import { redact } from '../../system/redact.ts';

/** Where a bundle comes from. */
export type Source =
  | { kind: 'url'; url: string }
  | { kind: 'file'; path: string }
  /** Read to its end; `nameOf` gives its name in messages. */
  | { kind: 'stdin' };

const bundleEnd = '.raucb';

/**
 * Reads the source that an operator or a timer has given: `http:`, `https:` or `file:` URL, the path of a file or of
 * a folder with one bundle in it (a USB stick), `-` for stdin. Throws a usage Failure that says what was expected.
 */
export function parseSource(text: string): Source {
  if (text === '-' || text === '/dev/stdin') return { kind: 'stdin' };
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(text)?.[1]?.toLowerCase();
  if (scheme === 'http' || scheme === 'https') return { kind: 'url', url: parseUrl(text) };
  if (scheme === 'file') return { kind: 'file', path: bundleAt(pathOf(text), text) };
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text))
    throw wrong(text, `a URL begins with https:, http: or file:, not with ${scheme}:`);
  return { kind: 'file', path: bundleAt(resolve(text), text) };
}

/** For messages and the progress file; contains no secret. */
export function nameOf(source: Source): string {
  if (source.kind === 'stdin') return 'stdin';
  return source.kind === 'url' ? redact(source.url) : source.path;
}

/** A password in a URL would be seen in the list of processes, and be logged by every proxy. */
function parseUrl(text: string): string {
  const url = URL.parse(text);
  if (url === null) throw wrong(text, 'it is not a URL');
  if (url.username !== '' || url.password !== '') {
    throw new Failure(`Cannot use "${redact(text)}": it has a user or password in it`, {
      outcome: 'usage',
      advice: 'Put them into a file, and name it as update.basic_auth_file in orchestrator.yaml',
    });
  }
  url.hash = '';
  return url.href;
}

function pathOf(text: string): string {
  try {
    return fileURLToPath(text);
  } catch {
    throw wrong(text, 'a file: URL is of this machine, like file:///media/stick/update.raucb');
  }
}

function bundleAt(path: string, text: string): string {
  try {
    const stat = statSync(path);
    if (stat.isFile()) return path;
    if (!stat.isDirectory()) throw wrong(text, 'it is not a file');
  } catch (error) {
    throw error instanceof Failure ? error : wrong(text, reasonOf(error));
  }
  const names = namesIn(path, text).sort();
  const [name, ...others] = names;
  if (name === undefined) throw wrong(text, `there is no ${bundleEnd} in this folder`);
  if (others.length > 0) throw wrong(text, `there are several: ${names.join(', ')}; name one of them`);
  return join(path, name);
}

/** Skips hidden files: other systems leave one on a stick beside each file. */
function namesIn(folder: string, text: string): string[] {
  try {
    return readdirSync(folder).filter((name) => name.endsWith(bundleEnd) && !name.startsWith('.'));
  } catch (error) {
    throw wrong(text, reasonOf(error));
  }
}

function wrong(text: string, reason: string): Failure {
  return new Failure(`Cannot use "${redact(text)}": ${reason}`, {
    outcome: 'usage',
    advice: 'A URL, a bundle file, or - for stdin is expected. See update.sh --help',
  });
}
