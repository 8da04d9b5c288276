import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { project } from '../../shared/packaging/project.ts';

export interface Block {
  /** The words behind the fence: the language, and what else is said of it. */
  info: readonly string[];
  text: string;
}

/** What people read: the README, the changelog, and all below docs/. */
export const documents: readonly string[] = ['README.md', 'CHANGELOG.md', ...below('docs')];

export function readDocument(path: string): string {
  return readFileSync(join(project.root, path), 'utf8');
}

export function blocksOf(document: string): Block[] {
  return [...document.matchAll(/^```(.*)\n([\s\S]*?)^```$/gm)].map(([, info = '', text = '']) => ({
    info: info.trim().split(/\s+/),
    text,
  }));
}

/** Not our text: the licences of other projects, word for word, are not checked. */
export function proseOf(document: string): string {
  return document.replace(/^```.*\n[\s\S]*?^```$/gm, '');
}

/** As GitHub names the heading in a link: lower case, blanks as dashes, other signs gone. */
export function anchorsOf(document: string): string[] {
  return [...proseOf(document).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replace(/\s/g, '-'),
  );
}

/** Paths of this project that a document names in code, `shared/update/`; with a `*` in it, what it stands for is asked. */
export function pathsNamedIn(document: string): string[] {
  const rooms = '(?:hooks|shared|test|docs|bundle-skeleton|\\.github)';
  return [...document.matchAll(new RegExp(`\`(${rooms}/[^\`\\s<]*)\``, 'g'))].map(([, path = '']) => path);
}

function below(folder: string): string[] {
  const entries = readdirSync(join(project.root, folder), { withFileTypes: true });
  return entries.flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return below(path);
    return entry.name.endsWith('.md') ? [path] : [];
  });
}
