import { Failure } from '../../system/failure.ts';
import { command } from '../../system/process/command.ts';

export function isRoot(): boolean {
  return process.getuid?.() === 0;
}

/** Throws a Failure, *Cannot <what>*, if this user has no way to become root. */
export async function requireWayToRoot(what: string, why: string): Promise<void> {
  const sudo = Bun.which('sudo');
  if (sudo === null) {
    throw new Failure(`Cannot ${what}: ${why} need root`, {
      outcome: 'usage',
      advice: 'Run it as root, or install sudo',
    });
  }
  if (process.stdin.isTTY) return;
  const { exitCode } = await command({ deadlineMs: 10_000, accept: 'any' })`sudo -n true`;
  if (exitCode !== 0) {
    throw new Failure(`Cannot ${what}: ${why} need root, and sudo asks for a password`, {
      outcome: 'usage',
      advice: 'Run it in a terminal, or as root',
    });
  }
}

/**
 * Runs a command of build.ts, by default the same one again, through sudo on the same terminal. Throws a Failure,
 * *Cannot <what>*, if that fails.
 */
export async function runAsRoot(
  what: string,
  why: string,
  words: readonly string[] = process.argv.slice(2),
): Promise<void> {
  await requireWayToRoot(what, why);
  const [program = ''] = process.argv.slice(1);
  const handedOn = `--preserve-env=${handedToRoot().join(',')}`;
  const child = Bun.spawn(['sudo', handedOn, '--', process.execPath, program, ...words], {
    stdio: ['inherit', 'inherit', 'inherit'],
  });
  const exitCode = await child.exited;
  if (exitCode !== 0) throw new Failure(`Cannot ${what}: as root it ended with ${exitCode}, see above`);
}

/** The variables of this environment that root needs: the build's time, the tests' choices, the way to the registries. */
export function handedToRoot(): string[] {
  const names =
    /^(SOURCE_DATE_EPOCH|HOMIE_\w+|CI|TMPDIR|https?_proxy|no_proxy|NODE_EXTRA_CA_CERTS|npm_config_\w+)$/i;
  return Object.keys(process.env).filter((name) => names.test(name));
}
