import { Deadline, pause } from '../system/deadline.ts';
import { reasonOf } from '../system/failure.ts';
import { CommandFailure, type CommandResult } from '../system/process/command.ts';
import { lastWordsOf } from './migrations-revisions.ts';

export interface RunOptions {
  /** The container's name, by which it can be removed. */
  name: string;
  deadlineMs: number;
  signal?: AbortSignal | undefined;
  onLine?: (line: string) => void;
}

/** What is needed of Compose. Throws CommandFailure. */
export interface MigrationContainers {
  /** A new container of the service, without those it depends on, removed when it ends: `run --rm --no-deps`. */
  run(service: string, argv: readonly string[], options: RunOptions): Promise<CommandResult>;
  /** With force; one that is not there is removed already. */
  removeContainer(name: string, options: { deadlineMs: number }): Promise<void>;
}

interface AlembicPlace {
  containers: MigrationContainers;
  service: string;
  signal?: AbortSignal | undefined;
}

/** Always the same, so that a run finds what one that was killed has left. */
const containerName = 'homie-migration';
const removeMs = 60_000;
const removePauseMs = 200;
const keptLines = 20;

/**
 * A client that is killed leaves its container running: it is removed after each run, and before one. alembic says on
 * stdout why it fails, Python on stderr: the reason is the last line of both.
 */
export async function runAlembic(
  { containers, service, signal }: AlembicPlace,
  words: readonly string[],
  { onLine, deadlineMs }: Omit<RunOptions, 'name'>,
): Promise<CommandResult> {
  await endMigration(containers);
  const lines: string[] = [];
  const keep = (line: string): void => {
    lines.push(line);
    if (lines.length > keptLines) lines.shift();
    onLine?.(line);
  };
  try {
    const argv = ['python', '-m', 'alembic', ...words];
    return await containers.run(service, argv, { signal, deadlineMs, onLine: keep, name: containerName });
  } catch (error) {
    // The first failure is the one to tell; what is left then, the next run removes.
    await endMigration(containers).catch(() => {});
    if (!(error instanceof CommandFailure) || error.exitCode === undefined) throw error;
    throw new CommandFailure(lastWordsOf(lines.join('\n')) ?? reasonOf(error), error.exitCode, error.stderr);
  }
}

/** Ends one that is under way. Docker may just be removing it itself, and its name is taken until that is done. */
export async function endMigration(containers: Pick<MigrationContainers, 'removeContainer'>): Promise<void> {
  const deadline = new Deadline(removeMs);
  for (;;) {
    try {
      return await containers.removeContainer(containerName, { deadlineMs: removeMs });
    } catch (error) {
      if (deadline.isOver || !/already in progress/.test(reasonOf(error))) throw error;
      await pause(removePauseMs);
    }
  }
}
