/** How long a program takes, and what it needs. */

export interface Run {
  seconds: number;
  stderr: string;
}

export interface RunOptions {
  env?: Record<string, string>;
  cwd?: string;
  /** What it is to end with; 0 where nothing is said. */
  exitCode?: number;
}

/** From its start to its end; what it says on stdout is thrown away. Throws where it ends otherwise than expected. */
export async function run(words: readonly string[], options: RunOptions = {}): Promise<Run> {
  const { env = {}, cwd = '/', exitCode = 0 } = options;
  const startedMs = performance.now();
  const child = Bun.spawn([...words], {
    cwd,
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', ...env },
    stdin: 'ignore',
    stdout: 'ignore',
    stderr: 'pipe',
  });
  const [ended, stderr] = await Promise.all([child.exited, child.stderr.text()]);
  const seconds = (performance.now() - startedMs) / 1000;
  if (ended !== exitCode) throw new Error(`"${words.join(' ')}" ended with ${ended}: ${stderr.slice(-2000)}`);
  return { seconds, stderr };
}

/**
 * The most that was ever resident of it, to the MiB: getrusage(2), as zsh tells. A child of our own would count what we
 * have ourselves, from before its exec; a shell is small.
 */
export async function peakBytesOf(words: readonly string[], options: RunOptions = {}): Promise<number> {
  const { stderr } = await run(['zsh', '-fc', 'TIMEFMT="peak %M"; time "$@"', 'zsh', ...words], options);
  const mebibytes = /^peak (\d+)$/m.exec(stderr)?.[1];
  if (mebibytes === undefined)
    throw new Error(`zsh does not tell the memory of "${words.join(' ')}": ${stderr}`);
  return Number(mebibytes) * 1024 * 1024;
}

/** The same for a line of sh, with `words` as its arguments. */
export function runScript(
  script: string,
  { words = [], ...options }: RunOptions & { words?: readonly string[] } = {},
): Promise<Run> {
  return run(['/bin/sh', '-euc', script, 'sh', ...words], options);
}

export function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((one, other) => one - other);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
}

/**
 * Runs each in turn, as many rounds as are asked for: what else the machine does, it does to all of them. Answers with
 * what each took in each round.
 */
export async function inTurn<Contestants extends Readonly<Record<string, () => Promise<Run>>>>(
  rounds: number,
  contestants: Contestants,
): Promise<{ [Name in keyof Contestants]: Awaited<ReturnType<Contestants[Name]>>[] }> {
  const runs: Record<string, Run[]> = {};
  for (let round = 0; round < rounds; round += 1)
    for (const [name, contestant] of Object.entries(contestants))
      runs[name] = [...(runs[name] ?? []), await contestant()];
  return runs as { [Name in keyof Contestants]: Awaited<ReturnType<Contestants[Name]>>[] }; // by the same names
}

/** The median over the rounds of what one took to what the other took in the same round. */
export function ratioOf(ours: readonly Run[], others: readonly Run[]): number {
  return median(ours.map(({ seconds }, round) => seconds / (others[round]?.seconds ?? Number.NaN)));
}

export function medianSeconds(runs: readonly Run[]): number {
  return median(runs.map(({ seconds }) => seconds));
}
