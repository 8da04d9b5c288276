import { reasonOf } from '../../system/failure.ts';
import { CommandFailure, type CommandResult } from '../../system/process/command.ts';

/** Access to PostgreSQL 13 or later in its container, as the container's own user over its own socket. */

export interface ExecOptions {
  deadlineMs: number;
  signal?: AbortSignal | undefined;
  /** A file on the host that gets the program's output byte for byte; it is emptied first. */
  stdoutTo?: string;
  /** A file on the host that the program reads; without it the program reads nothing. */
  stdinFrom?: string;
}

/** The part of Compose that is needed here: runs a program in the container of a running service. Throws CommandFailure. */
export interface Containers {
  exec(service: string, argv: readonly string[], options: ExecOptions): Promise<CommandResult>;
}

export interface Database {
  containers: Containers;
  /** The service of the compose file. */
  service: string;
  signal?: AbortSignal | undefined;
}

/** The application name that distinguishes our sessions from the stack's. */
const ourName = 'homie-update';
/** A database that always exists and is never the stack's own: a session in it can rename the stack's database. */
export const maintenance = 'template1';
const askMs = 120_000;

/**
 * The container's variables are read inside it, so that no secret appears on a command line. The settings of a
 * database for its users (a time limit, read-only) are overridden for us.
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
  /** The database's name; by default the stack's own. */
  name?: string;
  /** The text that psql reads; psql quotes a variable: `:'name'` as a text, `:"name"` as a name. */
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

/** The name of the stack's own database, even if that database does not exist. */
export async function readDatabaseName({ containers, service, signal }: Database): Promise<string> {
  const argv = ['sh', '-c', tellName];
  return (await containers.exec(service, argv, { deadlineMs: askMs, signal })).stdout;
}

/** Free bytes on the volume of the database; infinite if unknown. */
export async function readFreeBytes({ containers, service, signal }: Database): Promise<number> {
  const { stdout } = await containers.exec(service, ['sh', '-c', tellFree], { deadlineMs: askMs, signal });
  const [, kibibytes] = /\s\d+\s+\d+\s+(\d+)\s+\d+%/.exec(stdout) ?? [];
  return kibibytes === undefined ? Number.POSITIVE_INFINITY : Number(kibibytes) * 1024;
}

/**
 * Ends the sessions that a killed run of ours has left in the container: when our client is killed, its program in
 * the container continues. A dump would block the next migration, a swap could still take place.
 */
export async function endLeftovers(database: Database, deadlineMs = askMs): Promise<void> {
  const script = endSessions(`application_name = '${ourName}'`);
  await askDatabase(database, { name: maintenance, script, deadlineMs });
}

/** Ends all sessions in the stack's own database: a statement continues after its client was killed. */
export async function endSessionsOfStack(database: Database): Promise<void> {
  const name = await readDatabaseName(database);
  // psql does not replace its variables inside a DO block: the name is passed as a setting.
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

/** PostgreSQL's own reason if it gave one: the first error line, because lines of detail follow it. */
export function databaseReasonOf(error: unknown): string {
  if (!(error instanceof CommandFailure)) return reasonOf(error);
  const [, reason] = /^.*?\b(?:ERROR|FATAL|PANIC|error|fatal):\s+(.+)$/m.exec(error.stderr) ?? [];
  return reason?.trim() ?? reasonOf(error);
}
