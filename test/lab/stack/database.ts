import { database } from '../../rig/stack/compose-file.ts';
import type { Board } from '../board/board.ts';

/** What PostgreSQL on the board is asked and told. */

const container = 'homie_orchestrator_postgres_1';
const queryMs = 120_000;

/** Each row a line, its columns parted by `|`. The query has no quote but single ones. */
export async function sql(board: Board, query: string): Promise<string[]> {
  const psql = `psql -U ${database.user} -d ${database.name} -XqtA -v ON_ERROR_STOP=1`;
  const output = await board.run(`docker exec ${container} ${psql} -c "${query}"`, queryMs);
  return output.split('\n').filter((line) => line !== '');
}

export async function addPerson(board: Board, name: string): Promise<void> {
  await sql(board, `INSERT INTO people (name) VALUES ('${name}')`);
}

/** All of it, schema and rows, as pg_dump writes it down; without the words that it makes up anew each time. */
export async function dump(board: Board): Promise<string> {
  return await board.run(
    `docker exec ${container} pg_dump -U ${database.user} ${database.name} | grep -v restrict`,
    queryMs,
  );
}

/** The revision that alembic has noted in the database. */
export async function schema(board: Board): Promise<string> {
  return (await sql(board, 'SELECT version_num FROM alembic_version')).join(', ');
}
