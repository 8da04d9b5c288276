import { Failure } from '../../system/failure.ts';
import { type CommandOptions, command } from '../../system/process/command.ts';

/** The PATH that systemd gives its services; a build machine has its tools in the same folders. */
export const usualPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

const toolMs = 60_000;

/** From here on every child finds the tools in the sbin folders, which a Debian user's PATH does not have. */
export function useHostPath(): void {
  process.env['PATH'] = hostPath();
}

/** Runs a tool of this machine. The sbin folders are searched too, because a user's PATH may not have them. */
export function onHost(options: Omit<CommandOptions, 'deadlineMs'> = {}): ReturnType<typeof command> {
  return command({ deadlineMs: toolMs, ...options, env: { PATH: hostPath(), ...options.env } });
}

export function findTool(name: string): string | undefined {
  return Bun.which(name, { PATH: hostPath() }) ?? undefined;
}

/** Returns the tool's path. Throws a Failure, *Cannot <what>*, if the tool is missing. */
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
