import { constants } from 'node:os';
import { Failure, reasonOf } from '../failure.ts';
import { stepPoint } from '../fault-point.ts';
import { type Cut, endedInTime } from './child-end.ts';
import { feedChild } from './child-input.ts';
import { collectText, forEachLine } from './child-output.ts';

/** All other programs are run through this file; zx runs them, and no other file imports zx. */

export interface CommandOptions {
  /** Every child has one. At the deadline its process group gets SIGTERM, and SIGKILL after the grace. */
  deadlineMs: number;
  /** Exit codes that are an answer rather than a failure. Zero always is. */
  accept?: readonly number[] | 'any';
  /** Ends the child when it is aborted; set where the caller itself may be told to end. */
  signal?: AbortSignal | undefined;
  cwd?: string;
  /** Added to our environment, never instead of it; `undefined` removes a variable. */
  env?: Record<string, string | undefined>;
  /**
   * The child's stdin; empty by default. If it fails, the child is ended and its error is thrown. The child may leave
   * a part unread: its exit code says whether that is a failure.
   */
  stdin?: AsyncIterable<Uint8Array>;
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

const shellCommandNotFound = 127;
/** A shell exits with this plus the signal's number if a signal has ended the program. */
const endedBySignal = 128;
/** The PATH that systemd gives a service by default. */
const usualPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

type Value = string | number | readonly string[];
type Command = (pieces: TemplateStringsArray, ...values: Value[]) => Promise<CommandResult>;

/**
 * Runs one command: `` await command({ deadlineMs: 30_000 })`systemctl stop ${unit}` ``.
 * A program, not a word that only the shell knows, like `command`: the shell becomes it. Values are quoted for a POSIX shell; no
 * value becomes syntax. Throws CommandFailure.
 */
export function command(options: CommandOptions): Command {
  return async (pieces, ...values) => {
    const { $ } = await import('zx/core');
    const name = programOf(pieces, values);
    const failure = (what: string, exitCode?: number, stderr = ''): CommandFailure =>
      new CommandFailure(`"${name}" ${what}`, exitCode, stderr);
    if (options.signal?.aborted) throw failure('was not started, because this program was stopped');
    if (values.flat().some(hasNul)) throw failure('was not started: an argument contains a zero byte');

    const step = (): string => `run ${wordsOf(pieces, values)}`;
    stepPoint('before', step);
    const running = $({
      shell: '/bin/sh',
      // The command replaces the shell: one process less, and ending the child ends the command.
      prefix: 'set -u; exec ',
      postfix: '',
      quote,
      quiet: true,
      nothrow: true,
      detached: true,
      stdio: [options.stdin === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
      env: { PATH: usualPath, ...process.env, LC_ALL: 'C', ...options.env },
      ...fromNoEnvironment,
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    })(pieces, ...values.map((value) => (typeof value === 'object' ? [...value] : value)));
    const { child } = running;
    if (child?.pid === undefined || child.stdout === null || child.stderr === null) {
      throw failure(`could not be started: ${reasonOf((await running).cause)}`);
    }
    const stdout = collectText(child.stdout);
    const stderr = collectText(child.stderr);
    if (options.onLine) {
      forEachLine(child.stdout, options.onLine);
      forEachLine(child.stderr, options.onLine);
    }

    const feeding = options.stdin === undefined ? undefined : feedChild(child, options.stdin);
    const cut = await endedInTime(child, running, { ...options, feeding });
    // This throws the error of the input.
    if (cut === 'input failed') await feeding;
    else if (cut !== undefined) throw failure(wordsFor(cut, options.deadlineMs), undefined, stderr());
    const { exitCode, signal } = await running;
    stepPoint('after', step);
    const result = { exitCode: exitCode ?? shellCodeOf(signal), stdout: stdout(), stderr: stderr() };
    const isAccepted =
      options.accept === 'any' || exitCode === 0 || options.accept?.includes(result.exitCode) === true;
    if (isAccepted) return result;
    throw failure(endOf(name, result), result.exitCode, result.stderr);
  };
}

/** zx takes these from ZX_… variables where they are not given. */
const fromNoEnvironment = { preferLocal: false, timeout: 0, verbose: false } as const;

/** zx's default is bash's `$'…'`, whose `$` a POSIX shell would leave in the data. */
function quote(value: string): string {
  return `'${value.replaceAll("'", `'\\''`)}'`;
}

/** The command's first word, for the messages. */
function programOf(pieces: TemplateStringsArray, values: readonly Value[]): string {
  const [text = '', ...more] = (pieces[0] ?? '').trimStart().split(/\s+/);
  return more.length > 0 ? text : `${text}${values.flat()[0] ?? ''}`;
}

/** All words on one line, each path shortened to its last part: the step's name must not depend on the folder. */
function wordsOf(pieces: TemplateStringsArray, values: readonly Value[]): string {
  const line = pieces.map((piece, index) => `${piece}${[values[index] ?? []].flat().join(' ')}`).join('');
  return line
    .replace(/\S*\/(?=\S)/g, '')
    .replace(/\s+/g, ' ')
    .trim();
}

function hasNul(value: string | number): boolean {
  return String(value).includes('\0');
}

function wordsFor(cut: Exclude<Cut, 'input failed'>, deadlineMs: number): string {
  return cut === 'too late'
    ? `did not end within ${seconds(deadlineMs)}`
    : 'was ended, because this program was stopped';
}

function endOf(name: string, { exitCode, stderr }: CommandResult): string {
  const lastLine = stderr.trim().split('\n').at(-1)?.trim() ?? '';
  const words = lastLine === '' ? '' : ` (${lastLine})`;
  const by = signalName(exitCode - endedBySignal);
  if (by !== undefined) return `was ended by ${by}${words}`;
  const isNotThere = shellsNotFound.some((end) => lastLine.endsWith(`${name}: ${end}`));
  return exitCode === shellCommandNotFound && isNotThere
    ? 'is not on this system'
    : `ended with ${exitCode}${words}`;
}

/** The messages of dash and BusyBox, of bash, and of bash for a path. A program whose library is missing also ends with 127. */
const shellsNotFound = ['not found', 'command not found', 'No such file or directory'];

function shellCodeOf(signal: NodeJS.Signals | null): number {
  return signal === null ? 1 : endedBySignal + constants.signals[signal];
}

function signalName(number: number): string | undefined {
  return Object.entries(constants.signals).find(([, known]) => known === number)?.[0];
}

export function seconds(ms: number): string {
  return ms < 10_000 && ms % 1000 !== 0 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms / 1000)} s`;
}
