import { Failure } from '../../system/failure.ts';
import { type CommandOptions, command } from '../../system/process/command.ts';

/** What systemd gives its services; where a build machine keeps its tools too. */
export const usualPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

const toolMs = 60_000;

/** Runs a tool of this machine; an account's PATH may well leave out the sbin folders. */
export function onHost(options: Omit<CommandOptions, 'deadlineMs'> = {}): ReturnType<typeof command> {
  return command({ deadlineMs: toolMs, ...options, env: { PATH: hostPath(), ...options.env } });
}

export function findTool(name: string): string | undefined {
  return Bun.which(name, { PATH: hostPath() }) ?? undefined;
}

/** The tool's path; `what` is what needs it, as in *Cannot <what>*. Throws a Failure where it is not there. */
export function requireTool(name: string, debianPackage: string, what = 'make an embedded device'): string {
  const path = findTool(name);
  if (path !== undefined) return path;
  throw new Failure(`Cannot ${what}: "${name}" is not on this system`, {
    advice: `Install it (Debian: ${debianPackage})`,
  });
}

function hostPath(): string {
  return [process.env['PATH'], usualPath].filter((part) => part !== undefined && part !== '').join(':');
}
