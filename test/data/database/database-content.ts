import { askDatabase, type Database, runTool } from '../../../shared/data/database/database.ts';

/** All that is in a database and all that is set for it, as text: two are the same when these are. */
export async function contentOf(database: Database, name = 'homie'): Promise<string> {
  const argv = ['pg_dump', '--create', '--format=plain', `--dbname=${name}`];
  const { stdout } = await runTool(database, argv, { deadlineMs: 60_000 });
  return stdout.replace(/^\\(un)?restrict .*$/gm, '');
}

export async function sql(database: Database, script: string, name?: string): Promise<string[]> {
  return await askDatabase(database, { script, ...(name === undefined ? {} : { name }) });
}

export async function databaseNames(database: Database): Promise<string[]> {
  return await sql(
    database,
    'SELECT datname FROM pg_database WHERE NOT datistemplate ORDER BY 1',
    'template1',
  );
}

/** What is easily lost on the way through a dump. */
export const hardContent = `
CREATE ROLE reader; CREATE ROLE keeper; CREATE ROLE "odd ""role";
CREATE EXTENSION citext; CREATE EXTENSION hstore; CREATE EXTENSION pgcrypto;
CREATE SCHEMA "Odd Schema" AUTHORIZATION keeper;
CREATE TYPE mood AS ENUM ('calm', 'it''s fine');
CREATE TABLE things (
  id integer GENERATED ALWAYS AS IDENTITY (START 40 INCREMENT 3) PRIMARY KEY,
  name citext UNIQUE, pairs hstore, feeling mood, raw bytea, tree jsonb, many integer[],
  exact numeric, roughly double precision, at timestamptz, span tstzrange, address inet,
  twice numeric GENERATED ALWAYS AS (exact * 2) STORED
);
INSERT INTO things (name, pairs, feeling, raw, tree, many, exact, roughly, at, span, address) VALUES
  (E'tab\\there\\nline "Grüße" \\\\N', 'a=>1, b=>NULL', 'it''s fine', '\\x00ff0d0a', '{"a": [1, null]}', '{1,NULL,3}',
   'NaN', '-Infinity', 'infinity', '[2020-01-01,)', '::1/64'),
  (NULL, NULL, NULL, '', NULL, '{}', 0.10, 1e-300, '1970-01-01', 'empty', NULL);
CREATE SEQUENCE tickets START 1000 CACHE 5; SELECT nextval('tickets') \\g /dev/null
CREATE TABLE "Odd Schema"."odd ""table|" (a text); INSERT INTO "Odd Schema"."odd ""table|" VALUES ('x'), ('');
ALTER TABLE "Odd Schema"."odd ""table|" OWNER TO keeper;
CREATE TABLE events (at date, what text) PARTITION BY RANGE (at);
CREATE TABLE events_old PARTITION OF events FOR VALUES FROM (MINVALUE) TO ('2020-01-01');
CREATE TABLE events_new PARTITION OF events FOR VALUES FROM ('2020-01-01') TO (MAXVALUE);
INSERT INTO events VALUES ('2019-05-05', 'old'), ('2021-05-05', 'new'), ('2022-05-05', 'newer');
CREATE UNLOGGED TABLE passing (a integer); INSERT INTO passing VALUES (1);
CREATE MATERIALIZED VIEW summary AS SELECT count(*) FROM events;
CREATE FUNCTION shout() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN NEW.what := upper(NEW.what); RETURN NEW; END $f$;
CREATE TRIGGER shouting BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION shout();
ALTER TABLE things ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY none_at_all ON things USING (false);
GRANT SELECT ON things TO reader WITH GRANT OPTION; GRANT INSERT (name) ON things TO "odd ""role";
SELECT lo_from_bytea(4711, '\\xdeadbeef') \\g /dev/null
ALTER LARGE OBJECT 4711 OWNER TO keeper;
ALTER DEFAULT PRIVILEGES FOR ROLE keeper GRANT SELECT ON TABLES TO reader;
ALTER DATABASE homie OWNER TO keeper;
REVOKE ALL ON DATABASE homie FROM PUBLIC; GRANT CONNECT ON DATABASE homie TO reader WITH GRANT OPTION;
GRANT TEMPORARY ON DATABASE homie TO "odd ""role";
ALTER DATABASE homie CONNECTION LIMIT 77;
ALTER DATABASE homie SET search_path = "$user", public, "Odd Schema";
ALTER DATABASE homie SET statement_timeout = '1ms'; ALTER DATABASE homie SET default_transaction_read_only = on;
ALTER ROLE reader IN DATABASE homie SET timezone = 'Europe/Berlin';
COMMENT ON DATABASE homie IS 'the stack''s own';
`;

/** So many rows that a dump and a restore take a while, 150 bytes each that do not compress. */
export const bulk = (
  rows: number,
): string => `CREATE TABLE bulk AS SELECT n, sha512(n::text::bytea) AS a, sha512((-n)::text::bytea) AS b
  FROM generate_series(1, ${rows}) AS n;
`;
