import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { project } from '../../shared/packaging/project.ts';

/** Of all files below these paths of the project, with their names; and of more that it depends on. */
export function digestOf(paths: readonly string[], more = ''): string {
  const hash = createHash('sha256').update(more);
  const add = (path: string): void => {
    const whole = join(project.root, path);
    const stat = statSync(whole, { throwIfNoEntry: false });
    if (stat?.isDirectory()) for (const name of readdirSync(whole).sort()) add(join(path, name));
    else if (stat?.isFile()) hash.update(path).update('\0').update(readFileSync(whole));
  };
  for (const path of paths) add(path);
  return hash.digest('hex').slice(0, 16);
}
