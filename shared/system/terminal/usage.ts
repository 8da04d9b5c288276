import { Failure } from '../failure.ts';

/** A Failure for wrong arguments: one line that names the argument. */
export function usageFailure(program: string, reason: string): Failure {
  return new Failure(`Cannot read the arguments: ${reason}`, {
    outcome: 'usage',
    advice: `See ${program} --help`,
  });
}

/** The message of yargs, in our words if its own do not name the argument. */
export function usageReason(message: string, word: string, required: readonly string[]): string {
  const similar = /^Did you mean (.+)\?$/.exec(message)?.[1];
  if (similar !== undefined) return `"${word}" is not known, did you mean "${similar}"`;
  const choice = /Argument: (.+), Given: (.+), Choices: (.+)$/m.exec(message);
  if (choice !== null) return `${choice[1]} is ${choice[2]}, expected one of ${choice[3]}`;
  const given = /^Not enough non-option arguments: got (\d+)/.exec(message)?.[1];
  const missing = given === undefined ? undefined : required[Number(given)];
  if (missing !== undefined) return `<${missing}> is missing`;
  return lowerFirst(message.replace(/\s*\n\s*/g, '; '));
}

/** yargs reads `--dry-run=yes` as false, and the program would then really do what the user only wanted to try. */
export function findFlagWithValue(
  argv: readonly string[],
  isFlag: (name: string) => boolean,
): string | undefined {
  return argv.find((word) => {
    const [, name = '', value] = /^--([\w-]+)=(.*)$/s.exec(word) ?? [];
    return isFlag(name) && value !== 'true' && value !== 'false';
  });
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
