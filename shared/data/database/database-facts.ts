import * as v from 'valibot';
import { Failure } from '../../system/failure.ts';
import { askDatabase, type Database } from './database.ts';

/** Exact numbers of rows; a table outside the schema "public" is named with its schema. */
export type RowCounts = Record<string, number>;

export interface DatabaseFacts {
  /** Size as stored, with indexes: a restore needs as much in addition. */
  bytes: number;
  /** The revisions that alembic has recorded; empty if alembic has never run on this database. */
  revisions: string[];
  rows: RowCounts;
}

/** One tagged answer per line, all from one moment. The rows of a child table count for the child only. */
const factsScript = `BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
SELECT json_build_array('bytes', '', pg_database_size(current_database()));
SELECT format('SELECT json_build_array(''revision'', version_num, 0) FROM %s ORDER BY version_num', found)
  FROM to_regclass('alembic_version') AS found WHERE found IS NOT NULL
\\gexec
SELECT format('SELECT json_build_array(''rows'', %L, count(*)) FROM ONLY %I.%I',
    CASE nspname WHEN 'public' THEN relname ELSE nspname || '.' || relname END, nspname, relname)
  FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
  WHERE relkind = 'r' AND relpersistence <> 't' AND nspname <> 'information_schema' AND nspname NOT LIKE 'pg\\_%'
  ORDER BY nspname, relname
\\gexec
COMMIT;
`;

const lineSchema = v.tuple([v.picklist(['bytes', 'revision', 'rows']), v.string(), v.number()]);

export async function readFacts(database: Database, name?: string): Promise<DatabaseFacts> {
  const lines = await askDatabase(database, { script: factsScript, ...(name === undefined ? {} : { name }) });
  const facts: DatabaseFacts = { bytes: 0, revisions: [], rows: {} };
  for (const line of lines) {
    const [kind, text, number] = v.parse(lineSchema, JSON.parse(line));
    if (kind === 'bytes') facts.bytes = number;
    if (kind === 'revision') facts.revisions.push(text);
    if (kind === 'rows') facts.rows[text] = number;
  }
  return facts;
}

/**
 * The revisions that alembic has recorded, to watch the progress of a migration; empty if it has never run on this
 * database.
 */
export async function readNotedRevisions(database: Database): Promise<string[]> {
  const script = `SELECT format('SELECT version_num FROM %s ORDER BY 1', found)
  FROM to_regclass('alembic_version') AS found WHERE found IS NOT NULL
\\gexec
`;
  return await askDatabase(database, { script });
}

export interface DatabaseNames {
  live: string;
  /** A restore fills this database, until it takes the place of the live one. */
  fresh: string;
  /** The former live database, after the swap. */
  replaced: string;
}

const longestNameBytes = 63;

/**
 * PostgreSQL cuts a longer name, which could then be another database's: rejected with a Failure before anything
 * depends on it.
 */
export function namesFor(live: string): DatabaseNames {
  const names = { live, fresh: `${live}_restore`, replaced: `${live}_replaced` };
  if (Buffer.byteLength(names.replaced) <= longestNameBytes) return names;
  throw new Failure(`Cannot restore the database "${live}": its name is too long to have another beside it`, {
    advice: `Give it a name of at most ${longestNameBytes - '_replaced'.length} bytes`,
  });
}
