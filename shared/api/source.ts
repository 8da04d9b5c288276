import { realpathSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import * as v from 'valibot';
import { HttpRefusal } from './problem.ts';

/** Reads the bodies of API requests strictly: an unknown field is an error, and is not ignored. */

const mostCharacters = 2_048;
const text = v.pipe(
  v.string(),
  v.minLength(1),
  v.maxLength(mostCharacters),
  v.check((value) => value.isWellFormed() && !hasControls(value)),
);

const installSchema = v.union([
  v.strictObject({ url: text }),
  v.strictObject({ path: text }),
  // The guide's name for it.
  v.strictObject({ bundle_path: text }),
]);
const querySchema = v.strictObject({ bundle_path: text });
/** For valibot a list is an object too. */
const rollbackSchema = v.pipe(
  v.unknown(),
  v.check((value) => !Array.isArray(value)),
  v.strictObject({ yes: v.optional(v.boolean()) }),
);

/** The source for `update.sh install`. Throws a Refusal unless it is a web address or a bundle in the folder. */
export function readSource(body: unknown, bundleFolder: string): string {
  const parsed = v.safeParse(installSchema, body);
  if (!parsed.success)
    throw new HttpRefusal(400, 'Expected {"url": "https://…"} or {"path": "name.raucb"}, and nothing else');
  if ('url' in parsed.output) return readUrl(parsed.output.url);
  return readPath('path' in parsed.output ? parsed.output.path : parsed.output.bundle_path, bundleFolder);
}

/**
 * The bundle that the query names, as the guide's client asks for it; undefined where the query is empty. Throws a Refusal
 * for any other query.
 */
export function readQuery(url: string, bundleFolder: string): string | undefined {
  const query = [...new URL(url).searchParams];
  if (query.length === 0) return undefined;
  const parsed = query.length === 1 ? v.safeParse(querySchema, Object.fromEntries(query)) : undefined;
  if (parsed?.success !== true)
    throw new HttpRefusal(400, 'Expected ?bundle_path=name.raucb, and nothing else');
  return readPath(parsed.output.bundle_path, bundleFolder);
}

/** Whether the rollback is wanted although it separates a version from its data. */
export function readRollback(body: unknown): boolean {
  const parsed = v.safeParse(rollbackSchema, body === undefined ? {} : body);
  if (!parsed.success) throw new HttpRefusal(400, 'Expected nothing, or {"yes": true}');
  return parsed.output.yes === true;
}

function readUrl(given: string): string {
  const url = URL.parse(given);
  if (url === null || !['http:', 'https:'].includes(url.protocol))
    throw new HttpRefusal(400, 'The URL has to begin with https:// or http://');
  // A password would be visible in the list of processes; the config has files for credentials.
  if (url.username !== '' || url.password !== '')
    throw new HttpRefusal(400, 'The URL may not carry a user or a password');
  return url.href;
}

/** Gives the same answer for a file that does not exist and for one that the API must not reveal. */
function readPath(given: string, bundleFolder: string): string {
  const missing = new HttpRefusal(404, 'There is no such bundle in the bundle folder');
  try {
    const folder = realpathSync(bundleFolder);
    const path = realpathSync(resolve(folder, given));
    const isInside = path.startsWith(folder === '/' ? folder : `${folder}/`);
    if (isInside && path.endsWith('.raucb') && statSync(path).isFile()) return path;
  } catch {
    throw missing;
  }
  throw missing;
}

function hasControls(value: string): boolean {
  return [...value].some((character) => character < ' ' || character === '\x7f');
}
