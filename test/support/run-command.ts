/** Runs a command to its end, and collects what it said. */

export interface CommandEnd {
  /** 128 and more where a signal ended it. */
  exitCode: number;
  stdout: string;
  stderr: string;
}

export interface CommandOptions {
  /** Its whole environment; ours where it is not given. */
  env?: Record<string, string | undefined>;
  cwd?: string;
  /** The name that it is called under. */
  argv0?: string;
  /** What it reads; nothing where it is not given. */
  stdin?: Blob | Response;
  /** Called for the process once it runs. */
  whileRunning?: ((process: Bun.Subprocess) => Promise<void>) | undefined;
}

/** No process of the command is left, even if `whileRunning` throws. */
export async function runCommand(
  words: readonly string[],
  { whileRunning, stdin, ...options }: CommandOptions = {},
): Promise<CommandEnd> {
  const child = Bun.spawn([...words], {
    ...options,
    stdin: stdin ?? 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  });
  try {
    const output = Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
    await whileRunning?.(child);
    const [stdout, stderr, exitCode] = await output;
    return { exitCode, stdout, stderr };
  } finally {
    child.kill('SIGKILL');
  }
}
