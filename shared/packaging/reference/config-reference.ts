import { type Config, defaultConfig } from '../../config/config.ts';
import { configKeys } from '../../config/config-schema.ts';
import { markdownTable } from '../format/markdown-table.ts';
import { storageWords, updateWords } from './config-words.ts';

/** The tables of docs/configuration.md: every key of the schema, the values that it takes, and its default. */
function configReference(): string {
  const defaults = defaultConfig({ data: '/data', root: '/', run: '/run/homie' });
  const storage = section('`orchestrator.storage`', storageWords, configKeys.storage, {
    dataPath: '/data',
    ...defaults,
  });
  const update = updateWords.map(([heading, words]) =>
    section(`\`update\`: ${heading}`, words, configKeys.update, defaults.update),
  );
  return [storage, ...update].join('\n\n');
}

/** The keys of all sections, for the check that none is forgotten. */
export function describedKeys(): { storage: string[]; update: string[] } {
  return {
    storage: Object.keys(storageWords),
    update: updateWords.flatMap(([, words]) => Object.keys(words)),
  };
}

function section(
  heading: string,
  words: Readonly<Record<string, string>>,
  schemas: Readonly<Record<string, unknown>>,
  defaults: Readonly<Record<string, unknown>> | Config['update'],
): string {
  const values = new Map(Object.entries(defaults));
  const rows = Object.entries(words).map(([key, what]) => [
    `\`${key}\``,
    defaultText(values.get(camelCase(key))),
    expectedBy(schemas[key]),
    what,
  ]);
  return `### ${heading}\n\n${markdownTable(['key', 'default', 'takes', 'what it is'], rows)}`;
}

function defaultText(value: unknown): string {
  if (value === undefined || (Array.isArray(value) && value.length === 0)) return 'none';
  return `\`${String(value)}\``;
}

/** Returns what a key takes, in the words of the schema's error message: the message of its last check. */
function expectedBy(schema: unknown): string {
  const messages: string[] = [];
  const visit = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return;
    if ('wrapped' in node) visit(node.wrapped);
    if ('pipe' in node && Array.isArray(node.pipe))
      for (const step of node.pipe) if (step !== node) visit(step);
    if ('message' in node && typeof node.message === 'string') messages.push(node.message);
  };
  visit(schema);
  const last = messages.at(-1);
  if (last === undefined) throw new Error('a key of the config that does not say what it takes');
  return last.replaceAll('|', '\\|');
}

function camelCase(key: string): string {
  return key
    .replace(/_mib$/, 'MiB')
    .replace(/_kib$/, 'KiB')
    .replace(/_([a-z])/g, (_all, letter: string) => letter.toUpperCase());
}

/** Returns the document with new tables between the two marks; all other text stays. Throws if a mark is missing. */
export function withReference(document: string): string {
  const [before, rest] = document.split(beginMark);
  const after = rest?.split(endMark)[1];
  if (before === undefined || after === undefined) throw new Error(`no "${beginMark}" … "${endMark}" in it`);
  return `${before}${beginMark}\n\n${configReference()}\n\n${endMark}${after}`;
}

const beginMark = '<!-- made by: bun build.ts reference -->';
const endMark = '<!-- end -->';
