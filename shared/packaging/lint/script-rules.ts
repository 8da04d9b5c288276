import type { KeyFileEntry } from '../../rauc/key-file.ts';
import { hookArguments } from '../../rauc/manifest-keys.ts';
import type { Bundle } from './bundle.ts';
import { folderOf, resolveEntry } from './bundle-entry.ts';
import { hookListsOf } from './hook-lists.ts';
import { type LintFinding, warning } from './lint-finding.ts';

const caseOfFirstArgument = /\bcase\s+["']?\$(?:1\b|\{1[^}]*\})["']?\s+in\b([\s\S]*?)\besac\b/g;
const branch = /(?:^|;;|\bin\b)\s*\(?([^\s()#;][^()#;\n]*?)\s*\)/gm;

/** Finds shell scripts that wait for calls which RAUC does not make, and calls which the hook script does not handle. */
export function judgeScripts(bundle: Bundle, filename: KeyFileEntry): LintFinding[] {
  const resolved = resolveEntry(bundle.entries, filename.value);
  if (resolved.kind !== 'found') return [];
  const { entry } = resolved;
  const folder = entry.kind === 'folder' ? entry.path : folderOf(entry.path);
  const scripts = [...bundle.smallFiles].filter(
    ([path, text]) => folderOf(path) === folder && text.startsWith('#!'),
  );
  return [
    ...scripts.flatMap(([path, text]) => judgeCalls(path, branchesOf(text))),
    ...judgeExpectations(bundle, entry.path),
  ];
}

function judgeCalls(path: string, branches: readonly string[]): LintFinding[] {
  const known: readonly string[] = hookArguments;
  const names = branches.filter((name) => name !== '*');
  if (names.length === 0 || names.some((name) => known.includes(name) || isGlob(name))) return [];
  const activate = names.find((name) => name.endsWith('post-activate'));
  const advice =
    activate === undefined
      ? `RAUC's calls are ${known.join(', ')}`
      : 'RAUC has no such hook and runs nothing in the new system: let a boot unit there run it';
  const what = `the script waits for "${names.join('", "')}", which RAUC never calls`;
  return [warning('hook-never-called', { file: path }, what, advice)];
}

/** Only a script whose branches can be read is judged; a branch with a pattern may take any call. */
function judgeExpectations(bundle: Bundle, path: string): LintFinding[] {
  const text = bundle.smallFiles.get(path);
  const branches = text?.startsWith('#!') === true ? branchesOf(text) : [];
  if (branches.length === 0 || branches.some(isGlob)) return [];
  const calls = hookListsOf(bundle).flatMap(({ names, image }) =>
    names.map((name) => (image === undefined ? name : `slot-${name}`)),
  );
  return [...new Set(calls)]
    .filter((call) => (hookArguments as readonly string[]).includes(call) && !branches.includes(call))
    .map((call) =>
      warning(
        'hook-unhandled',
        { file: path },
        `the manifest asks for "${call}", and the script has no branch for it`,
        'Add the branch, or remove the name from hooks=',
      ),
    );
}

/** The patterns of every `case "$1" in`, without their quotes. */
function branchesOf(script: string): string[] {
  const code = script.replace(/^\s*#.*$/gm, '');
  return [...code.matchAll(caseOfFirstArgument)].flatMap(([, body = '']) =>
    [...body.matchAll(branch)].flatMap(([, patterns = '']) =>
      patterns.split('|').map((pattern) => pattern.trim().replace(/^(["'])(.*)\1$/, '$2')),
    ),
  );
}

function isGlob(pattern: string): boolean {
  return /[*?[]/.test(pattern);
}
