import * as v from 'valibot';
import { type Document, LineCounter, parseDocument } from 'yaml';
import { Failure, reasonOf } from './failure.ts';
import { scheduleEntries, windowSchema } from './schedule-schema.ts';
import { verdictEntries } from './verdict-schema.ts';

const absolutePath = v.pipe(v.string(), v.regex(/^\//, 'a path from the root, like /data/config'));
const secondsUpTo = (most: number) =>
  v.pipe(
    v.number(`a number of seconds from 1 to ${most}`),
    v.integer(`a whole number of seconds from 1 to ${most}`),
    v.minValue(1, `a number of seconds from 1 to ${most}`),
    v.maxValue(most, `a number of seconds from 1 to ${most}`),
  );

const serviceName = v.pipe(v.string(), v.regex(/^[\w.-]+$/, 'the name of a service in the compose file'));
const wholeNumberFrom = (least: number) =>
  v.pipe(
    v.number(`a whole number from ${least}`),
    v.integer(`a whole number from ${least}`),
    v.minValue(least, `a whole number from ${least}`),
  );

/** For valibot a list is an object too. */
const notList = v.check((value) => !Array.isArray(value), 'a group of keys');

const storageSchema = v.looseObject({
  data_path: v.optional(absolutePath),
  config_path: v.optional(absolutePath),
  backup_path: v.optional(absolutePath),
});

/** Ours alone, hence strict: a misspelt key would silently mean the default. */
const updateSchema = v.strictObject({
  unit: v.optional(v.pipe(v.string(), v.regex(/^[\w@.:-]+$/, 'the name of a systemd unit'))),
  health_url: v.optional(
    v.pipe(v.string(), v.regex(/^https?:\/\/\S+$/, 'a URL that begins with http:// or https://')),
  ),
  health_deadline_seconds: v.optional(secondsUpTo(2 * 3_600)),
  backup_deadline_seconds: v.optional(secondsUpTo(86_400)),
  version_floor: v.optional(
    v.pipe(
      v.string('a version in quotes, like "1.2.0"'),
      v.regex(/^\d+\.\d+\.\d+(?:[-+][\w.+-]+)?$/, 'a version like "1.2.0"'),
    ),
  ),
  allow_downgrade: v.optional(v.boolean('true or false')),
  ...scheduleEntries,
  ...verdictEntries,
  compose_file: v.optional(absolutePath),
  database_service: v.optional(serviceName),
  redis_service: v.optional(serviceName),
  migration_service: v.optional(serviceName),
  migrate_in: v.optional(v.picklist(['trial', 'post-install'], 'trial or post-install')),
  migration_deadline_seconds: v.optional(secondsUpTo(6 * 3_600)),
  migration_longest_seconds: v.optional(secondsUpTo(6 * 3_600)),
  pull_deadline_seconds: v.optional(secondsUpTo(86_400)),
  settle_seconds: v.optional(secondsUpTo(3_600)),
  disabled_checks: v.optional(v.array(v.string('the name of a check'), 'a list of names of checks')),
  keep_backups: v.optional(wholeNumberFrom(1)),
  backup_budget_mib: v.optional(wholeNumberFrom(1)),
  api_listen: v.optional(
    v.pipe(
      v.string(),
      v.regex(
        /^(?:(?:127\.0\.0\.1|\[::1\]):\d{1,5}|\/.+)$/,
        'an address of this device like "127.0.0.1:8081", or the path of a socket',
      ),
    ),
  ),
  api_token_file: v.optional(absolutePath),
  bundle_folder: v.optional(absolutePath),
  url: v.optional(
    v.pipe(
      v.string(),
      v.regex(/^https?:\/\/[^\s/@]+(?:[/?]\S*)?$/, 'a URL with https:// or http://, and no user in it'),
    ),
  ),
  ca_file: v.optional(absolutePath),
  client_certificate_file: v.optional(absolutePath),
  client_key_file: v.optional(absolutePath),
  token_file: v.optional(absolutePath),
  basic_auth_file: v.optional(absolutePath),
  limit_rate_kib: v.optional(wholeNumberFrom(1)),
  largest_bundle_mib: v.optional(wholeNumberFrom(1)),
  stall_seconds: v.optional(secondsUpTo(3_600)),
  fetch_tries: v.optional(wholeNumberFrom(1)),
  image_allowance_mib: v.optional(wholeNumberFrom(0)),
  reserve_mib: v.optional(
    v.pipe(
      v.number('a number of MiB'),
      v.finite('a number of MiB'),
      v.minValue(0, 'a number of MiB, 0 or more'),
    ),
  ),
});

/** The rest of the file belongs to the orchestrator. A section whose lines are all comments is null. */
const fileSchema = v.pipe(
  v.unknown(),
  notList,
  v.looseObject({
    orchestrator: v.nullish(
      v.pipe(
        v.unknown(),
        notList,
        v.looseObject({ storage: v.nullish(v.pipe(v.unknown(), notList, storageSchema)) }),
      ),
    ),
    update: v.nullish(v.pipe(v.unknown(), notList, updateSchema)),
  }),
);

export interface ConfigText {
  storage: v.InferOutput<typeof storageSchema>;
  update: v.InferOutput<typeof updateSchema>;
}

/** Parses and checks; `path` is for the message only. */
export function readConfigText(text: string, path: string): ConfigText {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: 'error' });
  const syntax = document.errors[0];
  if (syntax !== undefined) {
    const [what = ''] = syntax.message.split(/[\n;]/);
    throw wrong(path, lines.linePos(syntax.pos[0]).line, lowerFirst(what));
  }
  const content = contentOf(document, path);
  const result = v.safeParse(fileSchema, content);
  if (!result.success) throw wrongKey(path, result.issues[0], document, lines);
  return { storage: result.output.orchestrator?.storage ?? {}, update: result.output.update ?? {} };
}

/** An alias without its anchor is found only now, and without its line. */
function contentOf(document: Document.Parsed, path: string): unknown {
  try {
    return document.toJS() ?? {};
  } catch (error) {
    throw new Failure(`Cannot use the config "${path}": ${lowerFirst(reasonOf(error))}`, {
      outcome: 'usage',
      cause: error,
    });
  }
}

function wrongKey(
  path: string,
  issue: v.InferIssue<typeof fileSchema>,
  document: Document.Parsed,
  lines: LineCounter,
): Failure {
  const keys = (issue.path ?? []).map((item) => String(item.key));
  const line = lineOf(keys, document, lines);
  const key = keys.length === 0 ? 'the whole file' : `key ${keys.join('.')}`;
  if (issue.type === 'strict_object' && issue.expected === 'never') {
    const known = Object.keys((keys.includes('windows') ? windowSchema : updateSchema).entries).join(', ');
    return wrong(path, line, `${key} is not known (known are: ${known})`);
  }
  return wrong(path, line, `${key}: expected ${expectedBy(issue)}, found ${found(issue.input)}`);
}

function expectedBy(issue: { type: string; message: string; expected: string | null }): string {
  return issue.message.startsWith('Invalid ')
    ? (plainTypes[issue.type] ?? issue.expected ?? issue.type)
    : issue.message;
}

const plainTypes: Record<string, string> = {
  string: 'a text',
  loose_object: 'a group of keys',
  strict_object: 'a group of keys',
  boolean: 'true or false',
};

function found(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a group of keys';
  return typeof value === 'number' ? String(value) : JSON.stringify(value);
}

/** The line of the deepest key that is there. */
function lineOf(keys: string[], document: Document.Parsed, lines: LineCounter): number {
  for (let depth = keys.length; depth > 0; depth -= 1) {
    const node: unknown = document.getIn(keys.slice(0, depth), true);
    if (typeof node === 'object' && node !== null && 'range' in node && Array.isArray(node.range)) {
      return lines.linePos(Number(node.range[0])).line;
    }
  }
  return 1;
}

function wrong(path: string, line: number, reason: string): Failure {
  return new Failure(`Cannot use the config "${path}": line ${line}, ${reason}`, { outcome: 'usage' });
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
