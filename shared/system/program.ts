import { constants } from 'node:os';
import { seconds } from './command.ts';
import { exitCodeOf, type Outcome } from './exit-code.ts';
import { Failure, reasonOf } from './failure.ts';
import { createLog, type Log } from './log.ts';
import { UndoStack } from './undo.ts';

/** What a story may use: where to tell, what it owes, and the signal that it has to end. */
export interface Running {
  readonly log: Log;
  readonly undo: UndoStack;
  readonly signal: AbortSignal;
}

export interface ProgramOptions {
  name: string;
  /** The whole program's deadline: RAUC has none for its hooks, and a hook that hangs blocks every later install. */
  deadlineMs: number;
  /** How an outcome becomes an exit code, where not by the table alone. */
  exitCodeOf?: (outcome: Outcome) => number;
}

/** How long a story may take to notice that it was told to end before its undo stack is run regardless. */
const noticeMs = 5_000;
const undoMs = 120_000;
const endingSignals = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

interface End {
  exitCode: number;
  error?: unknown;
}

/**
 * The one place where programs end: whatever way that is (done, failed, told to, too late, our own bug), what is
 * owed is done, the last line on stderr is the reason, and the exit code is from the table.
 */
export async function runProgram(
  options: ProgramOptions,
  story: (running: Running) => Promise<Outcome>,
): Promise<void> {
  const log = createLog(options.name);
  const undo = new UndoStack();
  const ending = new AbortController();
  const codeOf = options.exitCodeOf ?? exitCodeOf;
  const told = Promise.withResolvers<End>();

  const tellToEnd = (reason: Failure, exitCode: number): void => {
    if (ending.signal.aborted) return;
    ending.abort(reason);
    setTimeout(() => told.resolve({ exitCode, error: reason }), noticeMs);
  };
  let exitCodeWhenTold: number | undefined;
  for (const signal of endingSignals) {
    process.on(signal, () => {
      exitCodeWhenTold ??= 128 + constants.signals[signal];
      tellToEnd(
        new Failure(`Cannot finish ${options.name}: it was told to end by ${signal}`),
        exitCodeWhenTold,
      );
    });
  }
  const deadline = setTimeout(() => {
    const reason = `it did not end within ${seconds(options.deadlineMs)}`;
    tellToEnd(new Failure(`Cannot finish ${options.name}: ${reason}`), codeOf('failed'));
  }, options.deadlineMs);
  const onBug = (error: unknown): void => told.resolve({ exitCode: codeOf('failed'), error });
  process.on('uncaughtException', onBug);
  process.on('unhandledRejection', onBug);

  const told_or_done = await Promise.race([
    told.promise,
    story({ log, undo, signal: ending.signal }).then(
      (outcome): End => ({ exitCode: codeOf(outcome) }),
      (error: unknown): End => ({
        exitCode: codeOf(error instanceof Failure ? error.outcome : 'failed'),
        error,
      }),
    ),
  ]);
  clearTimeout(deadline);
  const end =
    ending.signal.aborted && told_or_done.error !== undefined
      ? { exitCode: exitCodeWhenTold ?? told_or_done.exitCode, error: ending.signal.reason }
      : told_or_done;

  const undone = undo.unwind((what, error) => log.error(`Cannot undo "${what}": ${reasonOf(error)}`));
  await Promise.race([undone, Bun.sleep(undoMs)]);
  if (end.error !== undefined) tell(log, options.name, end.error);
  process.exit(end.exitCode);
}

/** The tool's own words and a bug's stack come first: RAUC shows only the last line, and that is the reason. */
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
