import { reasonOf } from '../../system/failure.ts';
import { CommandFailure, type CommandResult } from '../../system/process/command.ts';

/** PostgreSQL in its container, 13 or later, reached as the container's own user over its own socket. */

export interface ExecOptions {
  deadlineMs: number;
  signal?: AbortSignal | undefined;
  /** A file of the host that gets the program's output, bytes as they are; it is emptied first. */
  stdoutTo?: string;
  /** A file of the host that the program reads; without one it reads nothing. */
  stdinFrom?: string;
}

/** What is needed of Compose: a program run in the container of a service that runs. Throws CommandFailure. */
export interface Containers {
  exec(service: string, argv: readonly string[], options: ExecOptions): Promise<CommandResult>;
}

export interface Database {
  containers: Containers;
  /** The service of the compose file. */
  service: string;
  signal?: AbortSignal | undefined;
}

/** Where all programs of ours are told apart from the stack's. */
const ourName = 'homie-update';
/** Always there, and never the stack's own: from here that can be renamed. */
export const maintenance = 'template1';
const askMs = 120_000;

/**
 * The container's variables are read inside it, so that no secret is seen on a command line. What a database sets for
 * its users (a time limit, read-only) does not hold for us.
 */
const enter = `set -eu
export LC_ALL=C PGAPPNAME=${ourName} PGUSER="\${POSTGRES_USER:-postgres}"
export PGDATABASE="\${POSTGRES_DB:-$PGUSER}" PGPASSWORD="\${POSTGRES_PASSWORD:-}"
export PGOPTIONS="-c statement_timeout=0 -c lock_timeout=60s -c idle_in_transaction_session_timeout=0 \\
-c default_transaction_read_only=off -c synchronous_commit=on"
`;
const asOurselves = `${enter}exec "$@"`;
const tellName = `${enter}printf %s "$PGDATABASE"`;
const tellFree = `${enter}df -Pk "\${PGDATA:-/var/lib/postgresql/data}"`;
const runScript = `${enter}[ -z "$1" ] || PGDATABASE=$1
script=$2
shift 2
printf %s "$script" | psql --no-psqlrc --quiet --no-align --tuples-only --set=ON_ERROR_STOP=1 "$@"`;

/** Runs a PostgreSQL program (pg_dump, pg_restore) with the environment that connects it. */
export function runTool(
  { containers, service, signal }: Database,
  argv: readonly string[],
  options: ExecOptions,
): Promise<CommandResult> {
  return containers.exec(service, ['sh', '-c', asOurselves, 'sh', ...argv], { signal, ...options });
}

export interface Question {
  /** The stack's own where none is given. */
  name?: string;
  /** What psql reads; it quotes a variable: `:'name'` as a text, `:"name"` as a name. */
  script: string;
  variables?: Record<string, string>;
  deadlineMs?: number;
}

/** The answer's lines. Throws CommandFailure. */
export async function askDatabase(
  { containers, service, signal }: Database,
  { name = '', script, variables = {}, deadlineMs = askMs }: Question,
): Promise<string[]> {
  const settings = Object.entries(variables).map(([key, value]) => `--set=${key}=${value}`);
  const argv = ['sh', '-c', runScript, 'sh', name, script, ...settings];
  const { stdout } = await containers.exec(service, argv, { deadlineMs, signal });
  return stdout.split('\n').filter((line) => line !== '');
}

/** The name of the stack's own database, whether that is there or not. */
export async function readDatabaseName({ containers, service, signal }: Database): Promise<string> {
  const argv = ['sh', '-c', tellName];
  return (await containers.exec(service, argv, { deadlineMs: askMs, signal })).stdout;
}

/** On the volume that it stores its data on. */
export async function readFreeBytes({ containers, service, signal }: Database): Promise<number> {
  const { stdout } = await containers.exec(service, ['sh', '-c', tellFree], { deadlineMs: askMs, signal });
  const [, kibibytes] = /\s\d+\s+\d+\s+(\d+)\s+\d+%/.exec(stdout) ?? [];
  return kibibytes === undefined ? Number.POSITIVE_INFINITY : Number(kibibytes) * 1024;
}

/**
 * Ends what a run of ours that was killed has left working in the container: our end of a program that runs there
 * dies alone. A dump would block the next migration, a swap could still take place.
 */
export async function endLeftovers(database: Database, deadlineMs = askMs): Promise<void> {
  const script = endSessions(`application_name = '${ourName}'`);
  await askDatabase(database, { name: maintenance, script, deadlineMs });
}

/** Ends all sessions in the stack's own database: a statement goes on by itself when its client was killed. */
export async function endSessionsOfStack(database: Database): Promise<void> {
  const name = await readDatabaseName(database);
  // A literal of psql is not replaced inside a DO block: the name goes through a setting.
  const script = `SELECT set_config('homie.name', :'name', false) \\g /dev/null
${endSessions("datname = current_setting('homie.name')")}`;
  await askDatabase(database, { name: maintenance, script, variables: { name } });
}

function endSessions(which: string): string {
  return `DO $$ BEGIN
  FOR attempt IN 1..200 LOOP
    PERFORM pg_stat_clear_snapshot();
    PERFORM pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE ${which} AND pid <> pg_backend_pid() AND backend_type = 'client backend';
    EXIT WHEN NOT FOUND;
    PERFORM pg_sleep(0.05);
  END LOOP;
END $$;
`;
}

/** In PostgreSQL's own words where it has said some: it adds lines of detail after the one that counts. */
export function databaseReasonOf(error: unknown): string {
  if (!(error instanceof CommandFailure)) return reasonOf(error);
  const [, reason] = /^.*?\b(?:ERROR|FATAL|PANIC|error|fatal):\s+(.+)$/m.exec(error.stderr) ?? [];
  return reason?.trim() ?? reasonOf(error);
}
