import { reasonOf } from '../system/failure.ts';
import {
  CommandFailure,
  type CommandOptions,
  type CommandResult,
  command,
} from '../system/process/command.ts';

/** A command whose CommandFailure says what could not be done: `Cannot start "redis": …`. */
export function calling(what: string, options: CommandOptions): ReturnType<typeof command> {
  const run = command(options);
  return async (...call): Promise<CommandResult> => {
    try {
      return await run(...call);
    } catch (error) {
      if (!(error instanceof CommandFailure)) throw error;
      throw new CommandFailure(`Cannot ${what}: ${wordsOf(error)}`, error.exitCode, error.stderr);
    }
  };
}

/** The first generation of compose prints the exit code on a line after the reason, which would hide the reason. */
function wordsOf(error: CommandFailure): string {
  if (error.exitCode === undefined) return reasonOf(error);
  const lines = error.stderr.split('\n').map((line) => line.trim());
  const last = lines.findLast(
    (line) => line !== '' && !/^\d+$/.test(line) && !/^Creating \S+ \.\.\./.test(line),
  );
  return last === undefined ? reasonOf(error) : `it ended with ${error.exitCode} (${last})`;
}
