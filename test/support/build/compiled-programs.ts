import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type CompileOptions, compilePrograms } from '../../../shared/packaging/bundle/compile.ts';
import { project } from '../../../shared/packaging/project.ts';
import { digestOf } from '../digest.ts';
import { cachedFolder } from './folder-cache.ts';

const known = new Map<string, Promise<string>>();

/** A folder with the programs under all their names, compiled once for what they are made of. For reading only. */
export function compiledPrograms(options: CompileOptions): Promise<string> {
  const name = `${options.architecture}${options.hasFaultPoints === true ? '-faults' : ''}`;
  const programs = known.get(name) ?? findOrCompile(name, options);
  known.set(name, programs);
  return programs;
}

function findOrCompile(name: string, options: CompileOptions): Promise<string> {
  return cachedFolder({
    cache: join(project.cache, 'programs'),
    digest: digestOf(sources(), Bun.version),
    name,
    make: (folder) => compilePrograms(folder, options),
  });
}

/** All that is compiled in, and what compiles it. */
function sources(): string[] {
  const rooms = readdirSync(join(project.root, 'shared')).filter((room) => room !== 'packaging');
  const build = ['bundle/compile.ts', 'project.ts'].map((file) => `shared/packaging/${file}`);
  const settings = ['package.json', 'package-lock.json', 'tsconfig.json'];
  // The units of a slot are compiled in, too.
  return ['hooks', 'bundle-skeleton', ...rooms.map((room) => `shared/${room}`), ...build, ...settings];
}
