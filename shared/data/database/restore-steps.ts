import * as v from 'valibot';
import { askDatabase, type Database, maintenance, runTool } from './database.ts';
import type { DatabaseNames } from './database-facts.ts';

/** The steps of a restore, each safe to repeat. */

export interface Presence {
  /** The live database exists, and is not half dropped. */
  hasLive: boolean;
  /** The replaced database exists; `note` says whether its data can still be read. */
  hasReplaced: boolean;
  /** The note that the swap has left on the replaced database; undefined if that database is half dropped. */
  note: string | undefined;
}

const foundSchema = v.object({ name: v.string(), isWhole: v.boolean(), note: v.nullable(v.string()) });

/** Dropping takes several steps: PostgreSQL marks a half-dropped database with -2, and such a database can only be dropped. */
export async function findDatabases(database: Database, names: DatabaseNames): Promise<Presence> {
  const script = `SELECT json_build_object('name', datname, 'isWhole', datconnlimit <> -2,
    'note', shobj_description(oid, 'pg_database'))
  FROM pg_database WHERE datname IN (:'live', :'replaced');
`;
  const found = (await ask(database, names, script)).map((line) => v.parse(foundSchema, JSON.parse(line)));
  const replaced = found.find(({ name }) => name === names.replaced);
  return {
    hasLive: found.some(({ name, isWhole }) => name === names.live && isWhole),
    hasReplaced: replaced !== undefined,
    note: replaced?.isWhole ? (replaced.note ?? undefined) : undefined,
  };
}

/**
 * Creates an empty database with those properties of `like` that cannot be changed later. A newer PostgreSQL has
 * other columns.
 */
export async function createFresh(database: Database, names: DatabaseNames, like: string): Promise<void> {
  const script = `DROP DATABASE IF EXISTS :"fresh" WITH (FORCE);
SELECT format('CREATE DATABASE %I TEMPLATE template0 OWNER %I ENCODING %L LC_COLLATE %L LC_CTYPE %L TABLESPACE %I',
    :'fresh', CASE datname WHEN '${maintenance}' THEN current_user ELSE pg_get_userbyid(datdba) END,
    pg_encoding_to_char(encoding), datcollate, datctype, spcname)
  || CASE found ->> 'datlocprovider'
    WHEN 'i' THEN format(' LOCALE_PROVIDER icu ICU_LOCALE %L', coalesce(found ->> 'datlocale', found ->> 'daticulocale'))
    WHEN 'b' THEN format(' LOCALE_PROVIDER builtin BUILTIN_LOCALE %L', found ->> 'datlocale')
    ELSE '' END
  FROM pg_database JOIN pg_tablespace ON pg_tablespace.oid = dattablespace, to_jsonb(pg_database) AS found
  WHERE datname = :'like'
\\gexec
`;
  await ask(database, names, script, { like });
}

/**
 * The note comes last: without it no swap takes place, not even one that a killed run has left under way. A dump has
 * no statistics; without ANALYZE the first queries are slow.
 */
export async function fillFresh(
  database: Database,
  names: DatabaseNames,
  { dump, note, deadlineMs }: { dump: string; note: string; deadlineMs: number },
): Promise<void> {
  const argv = ['pg_restore', '--exit-on-error', `--dbname=dbname='${connectionValue(names.fresh)}'`];
  await runTool(database, argv, { deadlineMs, stdinFrom: dump });
  await askDatabase(database, { name: names.fresh, script: 'ANALYZE;\n', deadlineMs });
  await ask(database, names, `COMMENT ON DATABASE :"fresh" IS :'note';\n`, { note });
}

/**
 * In one transaction the restored database takes the name of the live one, which keeps its data under another name. A
 * session that is opened meanwhile waits for the name, and then finds the restored database. Rights and settings of
 * the database itself are not in a dump: they are copied as they are, and only now, because they would also apply to
 * pg_restore.
 */
export async function swap(
  database: Database,
  names: DatabaseNames,
  note: string,
  hasLive: boolean,
): Promise<void> {
  const script = hasLive
    ? `${refuseHalfScript}${dropReplacedScript}BEGIN;
${refuseHalfScript}${copyPropertiesScript}${endSessionsScript}ALTER DATABASE :"live" RENAME TO :"replaced";
COMMENT ON DATABASE :"replaced" IS :'note';
ALTER DATABASE :"fresh" RENAME TO :"live";
COMMIT;
`
    : `${refuseHalfScript}DROP DATABASE IF EXISTS :"live" WITH (FORCE);
ALTER DATABASE :"fresh" RENAME TO :"live";
`;
  await ask(database, names, script, { note });
}

export async function dropReplaced(database: Database, names: DatabaseNames): Promise<void> {
  await ask(database, names, dropReplacedScript);
}

export async function dropFresh(database: Database, names: DatabaseNames): Promise<void> {
  await ask(database, names, 'DROP DATABASE IF EXISTS :"fresh" WITH (FORCE);\n');
}

const dropReplacedScript = 'DROP DATABASE IF EXISTS :"replaced" WITH (FORCE);\n';

const refuseHalfScript = `SELECT format('DO %L', 'BEGIN RAISE EXCEPTION ''the restored database is not whole''; END')
  WHERE NOT EXISTS (
    SELECT FROM pg_database WHERE datname = :'fresh' AND shobj_description(oid, 'pg_database') = :'note')
\\gexec
`;

const endSessionsScript = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
  WHERE datname IN (:'live', :'fresh') AND pid <> pg_backend_pid() \\g /dev/null
`;

/**
 * GRANT rather than a copied list, so that PostgreSQL knows which roles the database needs. The settings are copied
 * as they are stored: only some of them are lists, and as text a list looks like a single value.
 */
const copyPropertiesScript = `SELECT format('REVOKE ALL ON DATABASE %I FROM PUBLIC, %I', :'fresh', pg_get_userbyid(datdba))
  FROM pg_database WHERE datname = :'live' AND datacl IS NOT NULL
\\gexec
SELECT format('GRANT %s ON DATABASE %I TO %s%s', privilege_type, :'fresh',
    CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END,
    CASE WHEN is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
  FROM pg_database, aclexplode(datacl) WHERE datname = :'live'
\\gexec
SELECT format('ALTER DATABASE %I CONNECTION LIMIT %s', :'fresh', datconnlimit)
  FROM pg_database WHERE datname = :'live'
\\gexec
SELECT format('COMMENT ON DATABASE %I IS %L', :'fresh', shobj_description(oid, 'pg_database'))
  FROM pg_database WHERE datname = :'live'
\\gexec
INSERT INTO pg_db_role_setting SELECT fresh.oid, setrole, setconfig
  FROM pg_db_role_setting JOIN pg_database AS live ON live.oid = setdatabase, pg_database AS fresh
  WHERE live.datname = :'live' AND fresh.datname = :'fresh';
`;

function ask(
  database: Database,
  { live, fresh, replaced }: DatabaseNames,
  script: string,
  more: Record<string, string> = {},
): Promise<string[]> {
  return askDatabase(database, { name: maintenance, script, variables: { live, fresh, replaced, ...more } });
}

/** Escapes a value for the quotes of libpq. */
function connectionValue(text: string): string {
  return text.replace(/[\\']/g, '\\$&');
}
