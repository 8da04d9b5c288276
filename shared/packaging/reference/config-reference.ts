import { fieldOf, type Keys, valuesOf } from '../../config/key.ts';
import { storageKeys } from '../../config/storage-keys.ts';
import { updateSections } from '../../config/update-keys.ts';
import { markdownTable } from '../format/markdown-table.ts';

/** The tables of docs/configuration.md: every key, what it takes, and what holds where it is not given. */
function configReference(): string {
  const storage = section('`orchestrator.storage`', storageKeys);
  const update = updateSections.map(([heading, keys]) => section(`\`update\`: ${heading}`, keys));
  return [storage, ...update].join('\n\n');
}

const places = { data: '/data', root: '/', run: '/run/homie' };

function section(heading: string, keys: Keys): string {
  const values = new Map(Object.entries(valuesOf(keys, {}, places)));
  const rows = Object.entries(keys).map(([name, { takes, words }]) => [
    `\`${name}\``,
    defaultText(values.get(fieldOf(name))),
    expectedBy(takes),
    words,
  ]);
  return `### ${heading}\n\n${markdownTable(['key', 'default', 'takes', 'what it is'], rows)}`;
}

function defaultText(value: unknown): string {
  if (value === undefined || (Array.isArray(value) && value.length === 0)) return 'none';
  return `\`${String(value)}\``;
}

/** What the schema itself says of a wrong value: the last thing that it checks. */
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

/** Our part of a document: what lies between the marks is written by us, the rest by a person. */
export function withReference(document: string): string {
  const [before, rest] = document.split(beginMark);
  const after = rest?.split(endMark)[1];
  if (before === undefined || after === undefined) throw new Error(`no "${beginMark}" … "${endMark}" in it`);
  return `${before}${beginMark}\n\n${configReference()}\n\n${endMark}${after}`;
}

const beginMark = '<!-- made by: bun build.ts reference -->';
const endMark = '<!-- end -->';
