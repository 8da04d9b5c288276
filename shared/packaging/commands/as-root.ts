import { Failure } from '../../system/failure.ts';

export function isRoot(): boolean {
  return process.getuid?.() === 0;
}

/** Runs the same command again through sudo, on the same terminal. Throws a Failure, *Cannot <what>*, if that fails. */
export async function runAsRoot(what: string, why: string): Promise<void> {
  if (Bun.which('sudo') === null) {
    throw new Failure(`Cannot ${what}: ${why} need root`, {
      outcome: 'usage',
      advice: 'Run it as root, or install sudo',
    });
  }
  const child = Bun.spawn(
    ['sudo', '--preserve-env=SOURCE_DATE_EPOCH', '--', process.execPath, ...process.argv.slice(1)],
    { stdio: ['inherit', 'inherit', 'inherit'] },
  );
  const exitCode = await child.exited;
  if (exitCode !== 0) throw new Failure(`Cannot ${what}: as root it ended with ${exitCode}, see above`);
}
