import { Failure } from './failure.ts';

/** The only door to other programs; zx runs them, and nothing else imports zx. */

export interface CommandOptions {
  /** Every child has one. At the deadline its process group gets SIGTERM, and SIGKILL after the grace. */
  deadlineMs: number;
  /** Exit codes that are an answer rather than a failure. Zero always is. */
  accept?: readonly number[] | 'any';
  /** Set where the caller itself may be told to end: the child is ended with it. */
  signal?: AbortSignal | undefined;
  cwd?: string;
  /** Added to our environment, never instead of it. */
  env?: Record<string, string>;
  /** Called for each line the child prints, on either stream, as it comes. */
  onLine?: (line: string) => void;
}

export interface CommandResult {
  exitCode: number;
  stdout: string;
  stderr: string;
}

/** A child that answered with a failure, was too slow, or could not be started. */
export class CommandFailure extends Failure {
  readonly exitCode: number | undefined;
  readonly stderr: string;

  constructor(message: string, exitCode: number | undefined, stderr: string) {
    super(message);
    this.exitCode = exitCode;
    this.stderr = stderr;
  }
}

const killGraceMs = 3_000;
const shellCommandNotFound = 127;
/** What systemd gives a service that was given none. */
const usualPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

type Command = (
  pieces: TemplateStringsArray,
  ...values: (string | number | readonly string[])[]
) => Promise<CommandResult>;

/**
 * Runs one command: `` await command({ deadlineMs: 30_000 })`systemctl stop ${unit}` ``.
 * Values are quoted by zx for a POSIX shell; no value becomes syntax. Throws CommandFailure.
 */
export function command(options: CommandOptions): Command {
  return async (pieces, ...values) => {
    const { $ } = await import('zx/core');
    options.signal?.throwIfAborted();
    const child = $({
      shell: '/bin/sh',
      prefix: 'set -eu; ',
      postfix: '',
      quote,
      quiet: true,
      nothrow: true,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: usualPath, ...process.env, LC_ALL: 'C', ...options.env },
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    })(pieces, ...values.map((value) => (typeof value === 'object' ? [...value] : value)));
    const name = programOf(pieces, values);
    if (options.onLine) forEachLine(child, options.onLine);

    const output = await endedInTime(child, name, options);
    const exitCode = output.exitCode ?? 1;
    const result = { exitCode, stdout: output.stdout, stderr: output.stderr };
    const accepted = options.accept === 'any' || exitCode === 0 || options.accept?.includes(exitCode);
    if (accepted && output.signal === null) return result;
    throw new CommandFailure(
      `"${name}" ${endOf(exitCode, output.signal, output.stderr)}`,
      exitCode,
      output.stderr,
    );
  };
}

interface Child
  extends PromiseLike<{
    exitCode: number | null;
    signal: NodeJS.Signals | null;
    stdout: string;
    stderr: string;
  }> {
  readonly pid: number | undefined;
  readonly stdout: NodeJS.ReadableStream;
  readonly stderr: NodeJS.ReadableStream;
}

/**
 * zx's own timeout walks the process tree with `ps` and never escalates; a group of the child's own needs
 * neither. A grandchild that left the group may hold our pipe open for ever: after SIGKILL nobody waits for it.
 */
async function endedInTime(child: Child, name: string, options: CommandOptions): Promise<Awaited<Child>> {
  const cut = Promise.withResolvers<never>();
  let killing: NodeJS.Timeout | undefined;
  let giveUp: NodeJS.Timeout | undefined;
  const end = (reason: string): void => {
    if (killing !== undefined) return;
    const failure = new CommandFailure(`"${name}" ${reason}`, undefined, '');
    signalGroup(child.pid, 'SIGTERM');
    killing = setTimeout(() => {
      signalGroup(child.pid, 'SIGKILL');
      giveUp = setTimeout(() => cut.reject(failure), 200);
    }, killGraceMs);
    child.then(
      () => {
        signalGroup(child.pid, 'SIGKILL');
        cut.reject(failure);
      },
      () => cut.reject(failure),
    );
  };
  const deadline = setTimeout(
    () => end(`did not end within ${seconds(options.deadlineMs)}`),
    options.deadlineMs,
  );
  const onAbort = (): void => end('was ended because we were told to end');
  options.signal?.addEventListener('abort', onAbort, { once: true });
  try {
    const output = await Promise.race([child, cut.promise]);
    if (killing !== undefined) return await cut.promise;
    return output;
  } finally {
    clearTimeout(deadline);
    clearTimeout(killing);
    clearTimeout(giveUp);
    options.signal?.removeEventListener('abort', onAbort);
  }
}

function signalGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // The group has ended by itself.
  }
}

/** zx's default is bash's `$'…'`, whose `$` a POSIX shell would leave in the data. */
function quote(value: string): string {
  if (/^[\w./:=@%+,-]+$/.test(value)) return value;
  return `'${value.replaceAll("'", `'\\''`)}'`;
}

function forEachLine(child: Child, onLine: (line: string) => void): void {
  for (const stream of [child.stdout, child.stderr]) {
    let rest = '';
    stream.on('data', (chunk: Buffer | string) => {
      const lines = (rest + chunk.toString()).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) onLine(line);
    });
    stream.on('end', () => {
      if (rest !== '') onLine(rest);
    });
  }
}

function programOf(pieces: TemplateStringsArray, values: readonly unknown[]): string {
  const text = `${pieces[0] ?? ''}${pieces.length > 1 ? String(values[0]) : ''}`.trim();
  return text.split(/\s+/)[0] ?? text;
}

function endOf(exitCode: number, signal: NodeJS.Signals | null, stderr: string): string {
  if (signal !== null) return `was ended by ${signal}`;
  if (exitCode === shellCommandNotFound) return 'is not on this system';
  const lastLine = stderr.trim().split('\n').at(-1)?.trim() ?? '';
  return `ended with ${exitCode}${lastLine === '' ? '' : ` (${lastLine})`}`;
}

export function seconds(ms: number): string {
  return ms < 10_000 && ms % 1000 !== 0 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms / 1000)} s`;
}
