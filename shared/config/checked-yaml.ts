import * as v from 'valibot';
import { type Document, LineCounter, parseDocument } from 'yaml';
import { Failure, reasonOf } from '../system/failure.ts';
import { nearestOf } from './nearest.ts';

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

/** What is wrong in a file: the keys from the root to it (none: the whole file), and the line and the reason in words. */
export interface YamlProblem {
  way: readonly string[];
  kind: 'unknown-key' | 'wrong-value';
  reason: string;
}

/** Parses and checks; an empty text is an empty group of keys. Throws a usage Failure. */
export function readCheckedYaml<S extends Schema>(text: string, checked: Checked<S>): v.InferOutput<S> {
  const lines = new LineCounter();
  const document = parse(text, lines);
  const { content, problem } = contentOf(document, lines);
  if (problem !== undefined) throw wrong(checked.what, problem);
  const result = v.safeParse(checked.schema, content);
  if (result.success) return result.output;
  throw wrong(checked.what, problemOf(result.issues[0], checked, { document, lines }));
}

interface Usable<S extends Schema> extends Checked<S> {
  /** In which depth the keys are that a problem costs: a problem deeper in a value costs the whole key. */
  depthOf: (way: readonly string[]) => number;
}

/**
 * Reads what can be used: a key that is unknown or has a wrong value is left out and is named among the problems. A text
 * that cannot be parsed is read as an empty one. For schemas that require no key.
 */
export function readUsableYaml<S extends Schema>(
  text: string,
  checked: Usable<S>,
): { value: v.InferOutput<S>; problems: readonly YamlProblem[] } {
  const lines = new LineCounter();
  const document = parse(text, lines);
  const { content, problem } = contentOf(document, lines);
  const problems = problem === undefined ? [] : [problem];
  for (let left = content; ; ) {
    const result = v.safeParse(checked.schema, left);
    if (result.success) return { value: result.output, problems };
    const { way, kind, reason } = problemOf(result.issues[0], checked, { document, lines });
    const costs = way.slice(0, checked.depthOf(way));
    // An unknown key deep in a value makes that value a wrong one: this version cannot know what it means.
    problems.push({ way: costs, kind: costs.length < way.length ? 'wrong-value' : kind, reason });
    left = without(left, costs);
  }
}

function parse(text: string, lines: LineCounter): Document.Parsed {
  return parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: 'error' });
}

function wrong(what: string, { reason }: YamlProblem): Failure {
  return new Failure(`Cannot use ${what}: ${reason}`, { outcome: 'usage' });
}

/** A copy without the key at the end of the way; without a way nothing is left. */
function without(content: unknown, [key, ...rest]: readonly string[]): unknown {
  if (key === undefined || !isGroup(content)) return {};
  const { [key]: inner, ...others } = content;
  return rest.length === 0 ? others : { ...others, [key]: without(inner, rest) };
}

function isGroup(content: unknown): content is Record<string, unknown> {
  return typeof content === 'object' && content !== null && !Array.isArray(content);
}

function contentOf(
  document: Document.Parsed,
  lines: LineCounter,
): { content: unknown; problem?: YamlProblem } {
  const syntax = document.errors[0];
  if (syntax !== undefined) {
    const [reason = ''] = syntax.message.split(/[\n;]/);
    return {
      content: {},
      problem: wholeFile(`line ${lines.linePos(syntax.pos[0]).line}, ${lowerFirst(reason)}`),
    };
  }
  try {
    return { content: document.toJS() ?? {} };
  } catch (error) {
    // The parser reports an alias without its anchor only here, without its line.
    return { content: {}, problem: wholeFile(lowerFirst(reasonOf(error))) };
  }
}

function wholeFile(reason: string): YamlProblem {
  return { way: [], kind: 'wrong-value', reason };
}

function problemOf<S extends Schema>(
  issue: v.BaseIssue<unknown>,
  { knownKeys }: Checked<S>,
  { document, lines }: { document: Document.Parsed; lines: LineCounter },
): YamlProblem {
  const way = (issue.path ?? []).map((item) => String(item.key));
  const key = way.length === 0 ? 'the whole file' : `key ${way.join('.')}`;
  return {
    way,
    kind: isUnknownKey(issue) ? 'unknown-key' : 'wrong-value',
    reason: `line ${lineOf(way, document, lines)}, ${key}${wordsOf(issue, knownKeys(way), way.at(-1))}`,
  };
}

function isUnknownKey({ type, expected }: v.BaseIssue<unknown>): boolean {
  return type === 'strict_object' && expected === 'never';
}

function wordsOf(issue: v.BaseIssue<unknown>, known: readonly string[], name = ''): string {
  if (isUnknownKey(issue)) return ` is not known (the nearest known key is "${nearestOf(name, known)}")`;
  if (issue.type === 'strict_object' && issue.input === undefined) return ' is missing';
  return `: expected ${expectedBy(issue)}, found ${found(issue.input)}`;
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

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
