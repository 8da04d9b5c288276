import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { project } from '../../../shared/packaging/project.ts';

const sources = [
  'hooks',
  'shared',
  'bundle-skeleton',
  'build.ts',
  'package.json',
  'package-lock.json',
  'tsconfig.json',
  '.npmrc',
];

/** The project as a fresh clone has it, for what writes into its folder; the packages are ours. */
export class Checkout {
  readonly path = mkdtempSync(join(tmpdir(), 'homie-checkout-'));

  constructor() {
    for (const name of sources) cpSync(join(project.root, name), join(this.path, name), { recursive: true });
    symlinkSync(join(project.root, 'node_modules'), join(this.path, 'node_modules'));
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
