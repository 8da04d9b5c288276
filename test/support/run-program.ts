import { expect } from 'bun:test';

/** Runs a TypeScript program as a process of its own, in the environment that is given and no other. */

export interface Ended {
  exitCode: number | null;
  signal: NodeJS.Signals | number | null;
  stdout: string;
  stderr: string;
}

export class RunningProgram {
  readonly #process: Bun.Subprocess<'ignore', 'pipe', 'pipe'>;
  readonly #stdout: { read(): Promise<{ done: boolean; value?: Uint8Array | undefined }> };
  readonly #stderr: Promise<string>;
  #said = '';

  constructor(words: readonly string[], env: Record<string, string>) {
    this.#process = Bun.spawn([...words], { env, stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' });
    this.#stdout = this.#process.stdout.getReader();
    this.#stderr = new Response(this.#process.stderr).text();
  }

  get pid(): number {
    return this.#process.pid;
  }

  kill(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  /** Waits until it has printed the line on stdout; fails where it ends without. */
  async says(line: string): Promise<void> {
    while (!this.#said.split('\n').includes(line)) {
      if (!(await this.#readMore())) expect(`${this.#said}\n${await this.#stderr}`).toBe(`… ${line}`);
    }
  }

  async ended(): Promise<Ended> {
    while (await this.#readMore());
    const stderr = await this.#stderr;
    await this.#process.exited;
    const { exitCode, signalCode } = this.#process;
    return { exitCode, signal: signalCode, stdout: this.#said, stderr };
  }

  async #readMore(): Promise<boolean> {
    const { done, value } = await this.#stdout.read();
    if (value !== undefined) this.#said += Buffer.from(value).toString();
    return !done;
  }
}

export function startProgram(
  file: string,
  args: readonly string[] = [],
  env: Record<string, string> = {},
): RunningProgram {
  return new RunningProgram([process.execPath, file, ...args], env);
}

export function runProgram(
  file: string,
  args: readonly string[] = [],
  env: Record<string, string> = {},
): Promise<Ended> {
  return startProgram(file, args, env).ended();
}
