import { linkSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../../system/failure.ts';
import { makeFolder } from '../../system/files/durable-file.ts';
import { command } from '../../system/process/command.ts';
import { executableName, programNames } from '../../update/slot/program-names.ts';
import { type Architecture, project } from '../project.ts';

/** Long, because the first build downloads the runtime of the other architecture. */
const compileDeadlineMs = 10 * 60_000;

export interface CompileOptions {
  architecture: Architecture;
  /** Compiles programs for tests, which die or hang where HOMIE_FAULT says. */
  hasFaultPoints?: boolean;
}

/** Compiles one executable and hard-links it under every program name in the folder. Returns its size in bytes. */
export async function compilePrograms(folder: string, options: CompileOptions): Promise<number> {
  emptyOfPrograms(folder);
  const executable = join(folder, executableName);
  await compile(project.entry, executable, options);
  for (const name of programNames) {
    if (name !== executableName) linkSync(executable, join(folder, name));
  }
  return statSync(executable).size;
}

/** Compiles each program separately, to measure what the one executable saves. Returns the sizes in bytes, by name. */
export async function compileSeparately(
  folder: string,
  options: CompileOptions,
): Promise<Map<string, number>> {
  emptyOfPrograms(folder);
  const entries = join(project.cache, 'separate');
  makeFolder(entries);
  const sizes = new Map<string, number>();
  for (const [name, { file, story }] of Object.entries(stories)) {
    const entry = join(entries, `${file}.ts`);
    writeFileSync(entry, entryText(file, story));
    await compile(entry, join(folder, name), options);
    sizes.set(name, statSync(join(folder, name)).size);
  }
  return sizes;
}

const stories = {
  'system-check': { file: 'system-check', story: 'systemCheck' },
  'install-check': { file: 'install-check', story: 'installCheck' },
  'pre-install': { file: 'pre-install', story: 'preInstall' },
  'post-install': { file: 'post-install', story: 'postInstall' },
  'post-activate': { file: 'post-activate', story: 'postActivate' },
  'update.sh': { file: 'update', story: 'update' },
} as const;

function entryText(file: string, story: string): string {
  const hooks = join(project.root, 'hooks');
  return `import { ${story} } from ${JSON.stringify(join(hooks, `${file}.ts`))};
import { tell } from ${JSON.stringify(join(hooks, 'tell.ts'))};
void tell(${story}, process.argv.slice(2));
`;
}

/**
 * By default a compiled program reads `.env` and runs the `preload` of a `bunfig.toml` in the current folder: a security
 * hole in programs that root runs from any folder. These switches close it.
 */
const autoload = ['dotenv', 'bunfig', 'tsconfig', 'package-json'].map(
  (what) => `--no-compile-autoload-${what}`,
);

/**
 * Bytecode halves the start time. Splitting puts code that is imported only when needed (zx, ky, yargs, whole stories) into
 * separate files inside the executable: `--version` reads 3 MiB less, and takes 6 ms instead of 14.
 */
const parts = ['--compile', '--minify', '--bytecode', '--format=esm', '--splitting'];

async function compile(entry: string, executable: string, options: CompileOptions): Promise<void> {
  const flags = [
    ...parts,
    ...autoload,
    `--target=bun-linux-${options.architecture}`,
    `--define=HOMIE_FAULT_POINTS=${options.hasFaultPoints === true}`,
  ];
  try {
    const run = command({ deadlineMs: compileDeadlineMs, cwd: project.root });
    await run`${process.execPath} build ${flags} ${entry} --outfile ${executable}`;
  } catch (error) {
    throw new Failure(`Cannot compile "${entry}" for ${options.architecture}`, {
      cause: error,
      advice: 'The first build needs the npm registry, for the runtime of that architecture',
    });
  }
}

function emptyOfPrograms(folder: string): void {
  makeFolder(folder);
  for (const name of programNames) rmSync(join(folder, name), { force: true });
}
