import type { Board } from './board.ts';

/**
 * What the small application of a board keeps, and a version with another schema migrates: rows in what stands in for
 * PostgreSQL, and the file in redis's folder. No version starts on data of a newer schema than its own.
 */
export interface BoardData {
  /** What a person has on the board beside them, and what must never change by itself. */
  notes: string;
  schema: string;
  /** Each with the schema that it is written in. */
  rows: string;
  /** What redis has written down, the same. */
  file: string;
}

const notes = 'the hall lamp is the one on the left';
const people = ['Ada Lovelace', 'Grace Hopper', 'Katherine Johnson'];
const kept = 'evening light';

/** Of a settled board whose data is written in this schema, and of nothing else. */
export function dataIn(schema: string): BoardData {
  const rows = people.map((person) => `${person}, schema ${schema};`).join(' ');
  return { notes, schema, rows, file: `${kept}, schema ${schema}` };
}

/** For reports. */
export function inWords({ notes, schema, rows, file }: BoardData): string {
  return `schema ${schema}; rows "${rows}"; file of redis "${file}"; notes "${notes}"`;
}

/** A line of the board's shell for each. */
export const dataQuestions: Readonly<Record<keyof BoardData, string>> = {
  notes: 'cat /data/core/notes',
  schema: 'head -n 1 /data/postgres/homie',
  rows: "tail -n +2 /data/postgres/homie | sed 's/$/;/' | paste -sd ' '",
  file: "tr -d '\\000\\377' </data/redis/dump.rdb | sed 's/^REDIS0009//'",
};

export async function data(board: Board): Promise<BoardData> {
  const { notes, schema, rows, file } = dataQuestions;
  return {
    notes: await board.run(notes),
    schema: await board.run(schema),
    rows: await board.run(rows),
    file: await board.run(file),
  };
}

/** As a person does who uses the application. */
export async function writeData(board: Board): Promise<void> {
  const stack = '. /usr/lib/homie-lab/stack';
  const rows = people.map((person) => `add_row "${person}"`).join(' && ');
  await board.run(`echo "${notes}" >/data/core/notes; sync /data/core/notes`);
  await board.run(`${stack} && ${rows} && echo "${kept}, schema $(revision)" >$memory && save_redis`);
}
