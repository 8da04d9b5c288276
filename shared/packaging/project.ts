import { dirname, join } from 'node:path';

/** Where things stand in a checkout, and where what is built lands; all of the latter is ignored by git. */
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
} as const;

export type Architecture = 'arm64' | 'x64';
