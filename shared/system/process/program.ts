import { constants } from 'node:os';
import { exitCodeOf, type Outcome } from '../exit-code.ts';
import { Failure, reasonOf } from '../failure.ts';
import { msOrFault } from '../fault-point.ts';
import { appendLine } from '../files/durable-file.ts';
import { createLog, type Log } from '../terminal/log.ts';
import { seconds } from './command.ts';
import { UndoStack } from './undo.ts';

/** What a program's story may use: the log, the undo stack, and the signal that tells it to end. */
export interface Running {
  readonly log: Log;
  readonly undo: UndoStack;
  readonly signal: AbortSignal;
  /** Sets the time that the program has from now on: RAUC has no deadline, and a hook that hangs blocks every later install. */
  allow(ms: number): void;
}

export interface ProgramOptions {
  name: string;
  /** Applies until the story has read its config and calls `allow`. */
  deadlineMs: number;
  /** Turns an outcome into an exit code, where the table alone does not decide. */
  exitCodeOf?: (outcome: Outcome) => number;
}

/** How long a story may take to notice that it was stopped before its undo stack is run regardless. */
const noticeMs = 5_000;
/** An undo that hangs must not prevent the others, such as starting what was stopped. */
const eachUndoMs = 120_000;
const endingSignals = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

/** An operator, or the system going down, wants the program to end: not its own fault. */
export class ToldToEnd extends Failure {
  constructor(program: string, signal: NodeJS.Signals) {
    super(`Cannot finish ${program}: it was stopped by ${signal}`);
  }
}

interface End {
  exitCode: number;
  error?: unknown;
}

/**
 * The one place where programs end. In every case (done, failed, told to end, too late, our own bug) the undo stack
 * is run, the last line on stderr is the reason, and the exit code is from the table.
 */
export async function runProgram(
  options: ProgramOptions,
  story: (running: Running) => Promise<Outcome>,
): Promise<void> {
  const startedMs = performance.now();
  const log = createLog(options.name);
  const undo = new UndoStack();
  const ending = new AbortController();
  const codeOf = options.exitCodeOf ?? exitCodeOf;
  const told = Promise.withResolvers<End>();

  let toldFirst: End | undefined;
  const tellToEnd = (end: End): void => {
    if (toldFirst !== undefined) return;
    toldFirst = end;
    ending.abort(end.error);
    setTimeout(() => told.resolve(end), msOrFault('NOTICE', noticeMs));
  };
  for (const signal of endingSignals) {
    process.on(signal, () => {
      const error = new ToldToEnd(options.name, signal);
      tellToEnd({ exitCode: 128 + constants.signals[signal], error });
    });
  }
  let deadline: NodeJS.Timeout | undefined;
  const allow = (allowedMs: number): void => {
    const ms = msOrFault('DEADLINE', allowedMs);
    clearTimeout(deadline);
    const error = new Failure(`Cannot finish ${options.name}: it did not end within ${seconds(ms)}`);
    deadline = setTimeout(() => tellToEnd({ exitCode: codeOf('failed'), error }), ms);
  };
  allow(options.deadlineMs);
  let isUnwinding = false;
  const onBug = (error: unknown): void => {
    if (isUnwinding) tell(log, options.name, error);
    else told.resolve({ exitCode: codeOf('failed'), error });
  };
  process.on('uncaughtException', onBug);
  process.on('unhandledRejection', onBug);

  const first = await Promise.race([
    told.promise,
    Promise.try(story, { log, undo, signal: ending.signal, allow }).then(
      (outcome): End => ({ exitCode: codeOf(outcome) }),
      (error: unknown): End => ({
        exitCode: codeOf(error instanceof Failure ? error.outcome : 'failed'),
        error,
      }),
    ),
  ]);
  clearTimeout(deadline);
  isUnwinding = true;
  const end = toldFirst !== undefined && first.error !== undefined ? toldFirst : first;
  await undo.unwind(
    end.error,
    (what, error) => log.error(`Cannot undo "${what}": ${reasonOf(error)}`),
    eachUndoMs,
  );
  if (end.error !== undefined) tell(log, options.name, end.error);
  trace(options.name, startedMs, end.exitCode, log);
  process.exit(end.exitCode);
}

/** The tool's own output and a bug's stack come first: RAUC shows only the last line, which has to be the reason. */
function tell(log: Log, name: string, error: unknown): void {
  if (error instanceof Failure) {
    const cause = error.cause === undefined ? '' : reasonOf(error.cause);
    if (cause !== '' && !error.message.includes(cause)) log.error(`  ${cause}`);
    log.error(error.advice === undefined ? error.message : `${error.message}. ${error.advice}`);
    return;
  }
  if (error instanceof Error && error.stack !== undefined) log.error(error.stack);
  log.error(
    `Cannot finish ${name}: ${reasonOf(error)} (this is a bug of ours, please report it with the lines above)`,
  );
}

/**
 * For the API's jobs, and the embedded device: HOMIE_TRACE names a file that gets one JSON line for each program that
 * ended. An error on writing it is not reported: the last line on stderr stays the reason, and the exit code stays.
 */
function trace(program: string, startedMs: number, exitCode: number, log: Log): void {
  const file = process.env['HOMIE_TRACE'];
  if (file === undefined) return;
  const ms = Math.round(performance.now() - startedMs);
  try {
    appendLine(file, JSON.stringify({ program, exitCode, ms, lastLine: log.lastLine }));
  } catch {
    // See above.
  }
}
