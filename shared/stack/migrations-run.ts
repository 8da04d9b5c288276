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

/** The part of Compose that is needed here. Throws CommandFailure. */
export interface MigrationContainers {
  /**
   * Runs a command in a new container of the service, without the services it depends on, removed at the end: `run
   * --rm --no-deps`.
   */
  run(service: string, argv: readonly string[], options: RunOptions): Promise<CommandResult>;
  /** By force; a missing container is no error. */
  removeContainer(name: string, options: { deadlineMs: number }): Promise<void>;
}

interface AlembicPlace {
  containers: MigrationContainers;
  service: string;
  signal?: AbortSignal | undefined;
}

/** Always the same, so that a run finds the container that a killed run has left. */
const containerName = 'homie-migration';
const removeMs = 60_000;
const removePauseMs = 200;
const keptLines = 20;

/**
 * A killed client leaves its container running: the container is removed before a run and after a failed one. alembic
 * prints its reason on stdout, Python on stderr: the reason is the last line of both together.
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
    // The first failure is reported; the next run removes a container that is left.
    await endMigration(containers).catch(() => {});
    if (!(error instanceof CommandFailure) || error.exitCode === undefined) throw error;
    throw new CommandFailure(lastWordsOf(lines.join('\n')) ?? reasonOf(error), error.exitCode, error.stderr);
  }
}

/** Ends a running migration. Docker may already be removing the container, and its name is taken until that is done. */
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
