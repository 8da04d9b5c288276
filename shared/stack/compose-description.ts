import { existsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Failure, reasonOf } from '../system/failure.ts';
import { command } from '../system/process/command.ts';
import { filesBeside, findComposeTool, wordsOfFile } from './compose-tool.ts';

/** A compose file as Docker Compose understands it. */
export interface ComposeDescription {
  /** The first words of every call: the tool, the folder, the files. */
  words: readonly string[];
  /** The output of `config`. */
  config: string;
}

const configMs = 60_000;
const known = new Map<string, ComposeDescription>();

/**
 * Calls Docker Compose once for as long as the files stay as they are: its first generation takes seconds to start on
 * a small board, and a trial asks in several places. Throws a Failure if no tool answers or the file is invalid.
 */
export async function describeCompose(
  file: string,
  folder: string,
  signal?: AbortSignal,
): Promise<ComposeDescription> {
  const key = stateOf(file, folder);
  const found = known.get(key);
  if (found !== undefined) return found;
  const tool = await findComposeTool(signal);
  const words = [...tool, ...wordsOfFile(file, folder)];
  const description = { words, config: await readConfig(file, words, signal) };
  known.set(key, description);
  return description;
}

async function readConfig(file: string, words: readonly string[], signal?: AbortSignal): Promise<string> {
  try {
    return (await command({ deadlineMs: configMs, signal })`${words} config`).stdout;
  } catch (error) {
    throw new Failure(`Cannot use the compose file "${file}": ${reasonOf(error)}`, { cause: error });
  }
}

/** Equal for two calls exactly if no file that Docker Compose reads has changed between them. */
function stateOf(file: string, folder: string): string {
  const files = [...filesBeside(file), join(dirname(file), '.env'), join(folder, '.env')];
  const stamps = files.filter(existsSync).map((path) => {
    const { ino, mtimeNs, size } = statSync(path, { bigint: true });
    return [path, ino, mtimeNs, size].join(' ');
  });
  return [folder, ...stamps].join('\n');
}
