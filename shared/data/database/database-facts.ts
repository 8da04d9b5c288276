import * as v from 'valibot';
import { Failure } from '../../system/failure.ts';
import { askDatabase, type Database } from './database.ts';

/** Exact numbers of rows; a table outside the schema "public" is named with its schema. */
export type RowCounts = Record<string, number>;

export interface DatabaseFacts {
  /** As stored, indexes and all: what a restore needs beside it. */
  bytes: number;
  /** What alembic has noted; empty where it was never here. */
  revisions: string[];
  rows: RowCounts;
}

/** One answer a line, each tagged. All of one moment. A table's children count for themselves. */
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

/** What alembic has noted, for who wants to see a migration move; empty where it was never here. */
export async function readNotedRevisions(database: Database): Promise<string[]> {
  const script = `SELECT format('SELECT version_num FROM %s ORDER BY 1', found)
  FROM to_regclass('alembic_version') AS found WHERE found IS NOT NULL
\\gexec
`;
  return await askDatabase(database, { script });
}

export interface DatabaseNames {
  live: string;
  /** Restored into, until it takes the live one's place. */
  fresh: string;
  /** The one whose place was taken. */
  replaced: string;
}

const longestNameBytes = 63;

/** A longer name is cut by PostgreSQL, and could then be another's: refused before anything depends on it. */
export function namesFor(live: string): DatabaseNames {
  const names = { live, fresh: `${live}_restore`, replaced: `${live}_replaced` };
  if (Buffer.byteLength(names.replaced) <= longestNameBytes) return names;
  throw new Failure(`Cannot restore the database "${live}": its name is too long to have another beside it`, {
    advice: `Give it a name of at most ${longestNameBytes - '_replaced'.length} bytes`,
  });
}
