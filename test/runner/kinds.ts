/** When a test file runs, by its name: `*.test.ts` in every run, `*.all.test.ts` from `npm run test:all` on, and so on. */
export type Kind = 'quick' | (typeof named)[number];

const named = ['all', 'deep', 'live', 'fleet', 'lab'] as const;

export function kindOf(file: string): Kind {
  const [, word] = /\.([a-z]+)\.test\.ts$/.exec(file) ?? [];
  return named.find((kind) => kind === word) ?? 'quick';
}

/** From the project's folder. */
export function findTestFiles(root: string): string[] {
  return [...new Bun.Glob('test/**/*.test.ts').scanSync(root)].sort();
}
