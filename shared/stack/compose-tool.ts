import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';
import { Failure, reasonOf } from '../system/failure.ts';
import { command } from '../system/process/command.ts';
import { projectNameOf } from './compose-config.ts';

/** The words before the arguments: Docker Compose as a program, or as a word of docker. */
export type ComposeTool = readonly [string, ...string[]];

/** The program first: it is what the unit calls, and two generations in turn would make each container anew. */
const tools: readonly ComposeTool[] = [['docker-compose'], ['docker', 'compose']];
/** The first generation is Python, which takes seconds to start on a board that is busy booting. */
const askMs = 60_000;

/** The one that this system has. Throws a Failure that names both where there is neither. */
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

/** What `docker-compose up` in the file's folder would read: the file, and the one beside it that overrides it. */
export function filesBeside(file: string): string[] {
  const stem = basename(file, extname(file));
  const override = ['.yml', '.yaml']
    .map((end) => join(dirname(file), `${stem}.override${end}`))
    .find((path) => existsSync(path));
  return override === undefined ? [file] : [file, override];
}

/**
 * Which files make the stack, and the folder that their relative paths begin at. Read from another folder than its own,
 * as from a slot that only we can see, a file still takes its variables from the .env beside it.
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

/** The project's name where the first generation does not say it. */
export function projectOf(folder: string): string {
  const path = join(folder, '.env');
  return projectNameOf(folder, process.env, existsSync(path) ? readFileSync(path, 'utf8') : '');
}
