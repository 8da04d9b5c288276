import { dirname, join } from 'node:path';

/** The folders of a checkout, and the folders for build results, which git ignores. */
const root = dirname(dirname(import.meta.dir));

export const project = {
  root,
  entry: join(root, 'hooks', 'main.ts'),
  skeleton: join(root, 'bundle-skeleton'),
  cache: join(root, '.cache'),
  keys: join(root, '.keys'),
  dist: join(root, 'dist'),
  updateHooks: join(root, 'dist', 'update-hooks'),
  reports: join(root, 'reports'),
  gitIndex: join(root, '.git', 'index'),
} as const;

export type Architecture = 'arm64' | 'x64';
