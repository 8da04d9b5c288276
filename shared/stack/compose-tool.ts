import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';
import { Failure, reasonOf } from '../system/failure.ts';
import { command } from '../system/process/command.ts';
import { projectNameOf } from './compose-config.ts';

/** The words before the arguments: Docker Compose as a program, or as a subcommand of docker. */
export type ComposeTool = readonly [string, ...string[]];

/** The program first: the unit calls it, and changing between the two generations would recreate each container. */
const tools: readonly ComposeTool[] = [['docker-compose'], ['docker', 'compose']];
/** The first generation is Python, which takes seconds to start on a board that is busy booting. */
const askMs = 60_000;

/** Finds the tool of this system. Throws a Failure that names both if there is neither. */
export async function findComposeTool(signal?: AbortSignal): Promise<ComposeTool> {
  const reasons: string[] = [];
  for (const tool of tools) {
    try {
      await command({ deadlineMs: askMs, signal })`${tool} version --short`;
      return tool;
    } catch (error) {
      signal?.throwIfAborted();
      reasons.push(`"${tool.join(' ')}" (${reasonOf(error)})`);
    }
  }
  throw new Failure(`Cannot find Docker Compose: neither ${reasons.join(' nor ')} answers`, {
    advice: 'Install either of them in the root file system',
  });
}

/** The files that `docker-compose up` in the file's folder would read: the file, and the override file beside it. */
export function filesBeside(file: string): string[] {
  const stem = basename(file, extname(file));
  const override = ['.yml', '.yaml']
    .map((end) => join(dirname(file), `${stem}.override${end}`))
    .find((path) => existsSync(path));
  return override === undefined ? [file] : [file, override];
}

/**
 * The options for the files of the stack, and for the folder of their relative paths. If that folder is not the
 * file's own, as for a file in a mounted slot, the variables still come from the .env beside the file.
 */
export function wordsOfFile(file: string, folder = dirname(file)): string[] {
  const variables = join(dirname(file), '.env');
  const isElsewhere = folder !== dirname(file) && existsSync(variables);
  return [
    `--project-directory=${folder}`,
    ...(isElsewhere ? [`--env-file=${variables}`] : []),
    ...filesBeside(file).map((path) => `--file=${path}`),
  ];
}

/** The project's name, for the first generation, which does not print it. */
export function projectOf(folder: string): string {
  const path = join(folder, '.env');
  return projectNameOf(folder, process.env, existsSync(path) ? readFileSync(path, 'utf8') : '');
}
