import { type HealthCheck, type HealthResult, healthy, unhealthy } from './check.ts';
import { type FindStack, inServiceCheck, lastLineOf } from './stack.ts';

const budgetMs = 15_000;

/**
 * User and database come from the variables of the official image; a statement that hangs would outlive its abandoned
 * client.
 */
const asOwner = `export PGCONNECT_TIMEOUT=5 PGOPTIONS='-c statement_timeout=5000' PGPASSWORD="\${POSTGRES_PASSWORD:-}"
user=\${POSTGRES_USER:-postgres}
pg_isready --quiet --timeout=5 --username="$user" || { echo "it does not accept connections" >&2; exit 1; }
exec psql --username="$user" --dbname="\${POSTGRES_DB:-$user}" --no-psqlrc --no-password --tuples-only --no-align --quiet --command="$1"`;

/** The database answers a query; if heads are given, its schema is at exactly these revisions. */
export function databaseCheck(find: FindStack, service: string, heads?: readonly string[]): HealthCheck {
  const query = heads === undefined ? 'SELECT 1' : 'SELECT version_num FROM alembic_version ORDER BY 1';
  return inServiceCheck(find, {
    name: 'database',
    service,
    budgetMs,
    argv: ['sh', '-c', asOwner, 'sh', query],
    judge: ({ exitCode, stdout, stderr }) =>
      exitCode === 0
        ? judgeSchema(stdout, heads)
        : unhealthy(lastLineOf(stderr) || `psql ends with ${exitCode}`),
  });
}

function judgeSchema(stdout: string, heads: readonly string[] | undefined): HealthResult {
  if (heads === undefined) return healthy;
  const found = stdout.split('\n').filter((line) => line !== '');
  if (found.toSorted().join() === heads.toSorted().join()) return healthy;
  return unhealthy(`the schema is at ${listed(found)}, not at ${listed(heads)}`);
}

function listed(revisions: readonly string[]): string {
  return revisions.length === 0 ? 'no revision' : revisions.map((one) => `"${one}"`).join(', ');
}
