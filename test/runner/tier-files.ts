import { readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

const teller = 'test/support/tier.ts';
/** Every report names the tier; that alone proves no more. */
const only = 'test/support/report/report.ts';

/** The files that test more in a higher tier: they import the module that reports the tier, directly or indirectly. */
export function filesByTier(root: string, files: readonly string[]): Set<string> {
  const transpiler = new Bun.Transpiler({ loader: 'ts' });
  const importsOf = memo((file: string): string[] => {
    const source = readFileSync(join(root, file), 'utf8');
    return transpiler
      .scanImports(source)
      .filter(({ path }) => path.startsWith('.') && path.endsWith('.ts'))
      .map(({ path }) => relative(root, join(root, dirname(file), path)));
  });
  const reaches = (file: string, seen: Set<string>): boolean => {
    if (file === teller) return true;
    if (file === only || seen.has(file)) return false;
    seen.add(file);
    return importsOf(file).some((next) => reaches(next, seen));
  };
  return new Set(files.filter((file) => reaches(file, new Set())));
}

function memo<T>(work: (word: string) => T): (word: string) => T {
  const known = new Map<string, T>();
  return (word) => {
    const found = known.get(word) ?? work(word);
    known.set(word, found);
    return found;
  };
}
