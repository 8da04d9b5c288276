import { afterAll, afterEach, beforeAll, expect, test } from 'bun:test';
import { copyFileSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Database, databaseReasonOf, endLeftovers } from '../../../shared/data/database/database.ts';
import { namesFor } from '../../../shared/data/database/database-facts.ts';
import { dumpDatabase } from '../../../shared/data/database/dump.ts';
import { restoreDatabase } from '../../../shared/data/database/restore.ts';
import { createFresh, dropFresh, swap } from '../../../shared/data/database/restore-steps.ts';
import { checksumFileOf } from '../../../shared/system/files/checksum.ts';
import { waitFor } from '../../rig/stack/wait-for.ts';
import { failureOf } from '../../support/failure-of.ts';
import { runProgram } from '../../support/run-program.ts';
import { bulk, contentOf, databaseNames, hardContent, sql } from './database-content.ts';
import { quietLog, type RunningStack, startStack } from './database-stack.ts';

let running: RunningStack;
let database: Database;
let dump: string;
let content: string;
const log = quietLog();

beforeAll(async () => {
  running = await startStack();
  database = { containers: running.quick, service: 'postgres' };
  dump = join(running.backups, 'good.dump');
  await sql(database, 'CREATE DATABASE another');
  await sql(database, "CREATE TABLE other (a text); INSERT INTO other VALUES ('untouched')", 'another');
  await sql(database, bulk(60_000));
  await sql(database, hardContent);
  await dumpDatabase({ ...database, target: dump });
  content = await contentOf(database);
}, 300_000);

afterAll(() => running[Symbol.asyncDispose](), 60_000);

afterEach(() => log.lines.splice(0));

const changes = `DELETE FROM rooms WHERE id = 1; INSERT INTO people (name) VALUES ('Grace Hopper'), ('Someone');
ALTER TABLE people ADD age integer; DROP TABLE events CASCADE; CREATE TABLE invoices (a integer); INSERT INTO invoices VALUES (1);
UPDATE alembic_version SET version_num = '0003'; SELECT lo_unlink(4711) \\g /dev/null
SELECT setval('tickets', 5) \\g /dev/null
`;

test('restoreDatabase() brings all of it back and names what it drops when the stack went on after the dump', async () => {
  const another = await contentOf(database, 'another');
  await sql(database, changes);
  expect(await contentOf(database)).not.toBe(content);

  const report = await restoreDatabase({ ...database, containers: running.containers, dump, log });

  expect(await contentOf(database)).toBe(content);
  expect(content).toContain('odd ""role');
  expect(content).toContain('ALTER ROLE reader IN DATABASE homie SET "TimeZone" TO \'Europe/Berlin\'');
  expect(content).toContain('GRANT CONNECT ON DATABASE homie TO reader WITH GRANT OPTION');
  expect(report.database).toBe('homie');
  expect(report.revisions).toEqual(['0002']);
  expect(report.rows['bulk']).toBe(60_000);
  expect(report.dropped).toEqual([
    'events_new: the table was gone, with 2 rows',
    'events_old: the table was gone, with 1 row',
    'invoices: a new table with 1 row',
    'people: 2 rows more',
    'rooms: 1 row fewer',
  ]);
  expect(log.lines).toContain('Dropping what was written since the dump: people: 2 rows more');
  expect(await databaseNames(database)).toEqual(['another', 'homie', 'postgres']);
  expect(await contentOf(database, 'another')).toBe(another);
}, 120_000);

test('restoreDatabase() ends who is connected when the stack still runs', async () => {
  const sitting = sql(database, 'SET application_name = stack; SELECT pg_sleep(300)').catch((error) => error);
  await waitFor('the session', async () => (await sessionsOf('stack')) === '1');

  const { dropped } = await restoreDatabase({ ...database, dump, log });

  expect(dropped).toEqual([]);
  expect(await sitting).toBeInstanceOf(Error);
  expect(await contentOf(database)).toBe(content);
}, 120_000);

/** What it does in the container: the first ones look; the seventh makes the fresh one, the twelfth swaps. */
const kills: [string, number, number?][] = [
  ...[4, 7, 8, 9, 10, 11, 12, 13].map((step): [string, number] => ['before', step]),
  ['within', 7, 100],
  ['within', 8, 300],
  ['within', 12, 20],
  ['within', 12, 150],
  ['within', 13, 50],
];

test('restoreDatabase() leaves the old or the restored one live, and ends well, when it is killed at any step', async () => {
  await sql(database, changes);
  const changed = await contentOf(database);
  for (const [when, step, ms = 0] of kills) {
    const { signal } = await restoreBy(dump, when, step, ms);
    expect([when, step, signal]).toEqual([when, step, 'SIGKILL']);
    // A command in the container continues alone, and may end our session once more.
    await endLeftovers(database);
    const live = await waitFor('a look at it', () => contentOf(database).catch(() => undefined));
    expect([changed, content]).toContain(live);
  }

  const { stdout, stderr } = await restoreBy(dump, 'never');

  expect([stdout, stderr]).toEqual(['13\n', '']);
  expect(await contentOf(database)).toBe(content);
  expect(await databaseNames(database)).toEqual(['another', 'homie', 'postgres']);
}, 400_000);

test('swap() refuses and changes nothing when the fresh one was not filled to its end', async () => {
  const names = namesFor('homie');
  await createFresh(database, names, 'homie');
  for (const hasLive of [true, false]) {
    const failure = await failureOf(() => swap(database, names, 'replaced', hasLive));
    expect(databaseReasonOf(failure)).toBe('the restored database is not whole');
  }
  expect(await contentOf(database)).toBe(content);
  await dropFresh(database, names);
}, 60_000);

test('restoreDatabase() still names what it drops when a run was killed between the swap and its end', async () => {
  await sql(database, 'INSERT INTO people (name) VALUES (1)');
  expect((await restoreBy(dump, 'before', 13)).signal).toBe('SIGKILL');
  expect(await contentOf(database)).toBe(content);

  const { dropped } = await restoreDatabase({ ...database, dump, log });

  expect(dropped).toEqual(['people: 1 row more']);
}, 60_000);

test('restoreDatabase() ends well when the power fails in the middle and it runs again', async () => {
  await sql(database, changes);
  const restoring = restoreDatabase({ ...database, dump, log }).catch((error) => error);
  await waitFor('the restore', async () => (await databaseNames(database)).includes('homie_restore'));

  await running.stack.engine.cutPower();
  expect(await restoring).toBeInstanceOf(Error);
  await running.stack.engine.start();
  await waitFor('the database', async () => await databaseNames(database).catch(() => undefined));
  await restoreDatabase({ ...database, dump, log });

  // PostgreSQL empties an unlogged table after a crash; the dump had its rows.
  expect(await contentOf(database)).toBe(content);
  expect(await databaseNames(database)).toEqual(['another', 'homie', 'postgres']);
}, 200_000);

test('restoreDatabase() makes it anew when a migration has dropped the whole database', async () => {
  await sql(database, 'ALTER DATABASE homie RENAME TO thrown_away; DROP DATABASE thrown_away', 'template1');

  const report = await restoreDatabase({ ...database, dump, log });

  expect(report.rows['people']).toBe(2);
  expect(report.dropped).toContain('people: the table was gone, with 2 rows');
  expect(await sql(database, 'SELECT name FROM rooms ORDER BY id')).toEqual(['kitchen', 'hall', 'attic']);
}, 120_000);

test.each([
  [
    'a byte of it has changed',
    (path: string) => writeFileSync(path, flipped(readFileSync(path))),
    'it does not have the checksum beside it',
  ],
  [
    'it is truncated',
    (path: string) => truncateSync(path, 1_000_000),
    'it does not have the checksum beside it',
  ],
  [
    'it was truncated before its checksum was made',
    cutAndSign,
    'could not read from input file: end of file',
  ],
  [
    'it is no dump at all',
    (path: string) => sign(path, 'SELECT 1; '.repeat(100)),
    'input file does not appear to be a valid archive',
  ],
])(
  'restoreDatabase() refuses the dump and touches nothing when %s',
  async (_case, damage, reason) => {
    const bad = join(running.backups, 'bad.dump');
    copyFileSync(dump, bad);
    writeFileSync(checksumFileOf(bad), readFileSync(checksumFileOf(dump), 'utf8').replace('good', 'bad'));
    const oids = await sql(database, 'SELECT oid, datname FROM pg_database ORDER BY 1', 'template1');
    damage(bad);

    const failure = await failureOf(() => restoreDatabase({ ...database, dump: bad, log }));

    expect(failure.message).toContain(`Cannot trust the backup "${bad}": `);
    expect(failure.message).toContain(reason);
    expect(await sql(database, 'SELECT oid, datname FROM pg_database ORDER BY 1', 'template1')).toEqual(oids);
  },
  60_000,
);

test('restoreDatabase() leaves the live one as it is when the dump cannot be restored', async () => {
  await sql(database, 'CREATE ROLE passing; ALTER TABLE rooms OWNER TO passing');
  const orphan = join(running.backups, 'orphan.dump');
  await dumpDatabase({ ...database, target: orphan });
  await sql(database, 'ALTER TABLE rooms OWNER TO homie; DROP ROLE passing');
  const before = await contentOf(database);

  const failure = await failureOf(() => restoreDatabase({ ...database, dump: orphan, log }));

  expect(failure.message).toBe(
    `Cannot restore the database of "postgres" from "${orphan}": could not execute query: ERROR:  role "passing" does not exist`,
  );
  expect(await contentOf(database)).toBe(before);
  expect(await databaseNames(database)).toEqual(['another', 'homie', 'postgres']);
}, 60_000);

function restoreBy(file: string, when: string, step = 0, ms = 0): ReturnType<typeof runProgram> {
  const program = join(import.meta.dir, 'restore-program.ts');
  const { environment } = running.stack.engine;
  return runProgram(program, [file, when, String(step), String(ms)], {
    ...environment,
    PATH: process.env['PATH'] ?? '',
  });
}

async function sessionsOf(application: string): Promise<string | undefined> {
  const [count] = await sql(
    database,
    `SELECT count(*) FROM pg_stat_activity WHERE application_name = '${application}'`,
    'template1',
  );
  return count;
}

function flipped(bytes: Buffer): Buffer {
  const middle = bytes.length >> 1;
  bytes[middle] = (bytes[middle] ?? 0) ^ 1;
  return bytes;
}

function cutAndSign(path: string): void {
  sign(path, readFileSync(path).subarray(0, 1_000_000));
}

function sign(path: string, content: string | Uint8Array): void {
  writeFileSync(path, content);
  const sha256 = new Bun.CryptoHasher('sha256').update(content).digest('hex');
  writeFileSync(checksumFileOf(path), `${sha256}  bad.dump\n`);
}
