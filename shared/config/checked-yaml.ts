import * as v from 'valibot';
import { type Document, LineCounter, parseDocument } from 'yaml';
import { Failure, reasonOf } from '../system/failure.ts';

/** Reads YAML that people write: an error message names the line, the key and the expected value. */

/** valibot accepts a list where an object is expected. */
export const notList = v.check((value) => !Array.isArray(value), 'a group of keys');

type Schema = v.GenericSchema<unknown, unknown>;

interface Checked<S extends Schema> {
  /** The file in the message *Cannot use <what>*, with its path in quotes. */
  what: string;
  schema: S;
  /** The known keys in the place of an unknown key; `way` holds the keys from the root to the unknown key. */
  knownKeys: (way: readonly string[]) => readonly string[];
}

/** Parses and checks; an empty text is an empty group of keys. Throws a usage Failure. */
export function readCheckedYaml<S extends Schema>(text: string, checked: Checked<S>): v.InferOutput<S> {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: 'error' });
  const syntax = document.errors[0];
  if (syntax !== undefined) {
    const [reason = ''] = syntax.message.split(/[\n;]/);
    throw wrong(checked.what, lines.linePos(syntax.pos[0]).line, lowerFirst(reason));
  }
  const content = contentOf(document, checked.what);
  const result = v.safeParse(checked.schema, content);
  if (!result.success) throw wrongKey(result.issues[0], checked, document, lines);
  return result.output;
}

/** The parser reports an alias without its anchor only here, without its line. */
function contentOf(document: Document.Parsed, what: string): unknown {
  try {
    return document.toJS() ?? {};
  } catch (error) {
    throw new Failure(`Cannot use ${what}: ${lowerFirst(reasonOf(error))}`, {
      outcome: 'usage',
      cause: error,
    });
  }
}

function wrongKey<S extends Schema>(
  issue: v.BaseIssue<unknown>,
  { what, knownKeys }: Checked<S>,
  document: Document.Parsed,
  lines: LineCounter,
): Failure {
  const keys = (issue.path ?? []).map((item) => String(item.key));
  const line = lineOf(keys, document, lines);
  const key = keys.length === 0 ? 'the whole file' : `key ${keys.join('.')}`;
  if (issue.type === 'strict_object' && issue.expected === 'never') {
    return wrong(what, line, `${key} is not known (known are: ${knownKeys(keys).join(', ')})`);
  }
  if (issue.type === 'strict_object' && issue.input === undefined) {
    return wrong(what, line, `${key} is missing`);
  }
  return wrong(what, line, `${key}: expected ${expectedBy(issue)}, found ${found(issue.input)}`);
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

/** The line of the deepest key on the way that the document contains. */
function lineOf(keys: string[], document: Document.Parsed, lines: LineCounter): number {
  for (let depth = keys.length; depth > 0; depth -= 1) {
    const node: unknown = document.getIn(keys.slice(0, depth), true);
    if (typeof node === 'object' && node !== null && 'range' in node && Array.isArray(node.range)) {
      return lines.linePos(Number(node.range[0])).line;
    }
  }
  return 1;
}

function wrong(what: string, line: number, reason: string): Failure {
  return new Failure(`Cannot use ${what}: line ${line}, ${reason}`, { outcome: 'usage' });
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
