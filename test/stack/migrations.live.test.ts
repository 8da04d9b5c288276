import { afterAll, beforeAll, beforeEach, expect, test } from 'bun:test';
import { join } from 'node:path';
import { type Database, endSessionsOfStack } from '../../shared/data/database/database.ts';
import { readNotedRevisions } from '../../shared/data/database/database-facts.ts';
import { dumpDatabase } from '../../shared/data/database/dump.ts';
import { restoreDatabase } from '../../shared/data/database/restore.ts';
import { type MigrationRequest, migrate, readRevisions } from '../../shared/stack/migrations.ts';
import { contentOf, sql } from '../data/database/database-content.ts';
import { quietLog, type RunningStack, startStack } from '../data/database/database-stack.ts';
import { waitFor } from '../rig/stack/wait-for.ts';
import { failureOf } from '../support/failure-of.ts';
import { startProgram } from '../support/run-program.ts';

let running: RunningStack;
let database: Database;
let request: MigrationRequest;
let dump: string;
let content: string;
const log = quietLog();

beforeAll(async () => {
  running = await startStack();
  const { containers, stack } = running;
  for (const release of ['2.0.0', '2.0.1-halffail', '2.0.2-slow'] as const) {
    stack.describe({ release });
    await stack.compose(['pull', '--quiet', 'orchestrator']);
  }
  database = { containers: running.quick, service: 'postgres' };
  request = {
    containers,
    service: 'orchestrator',
    log,
    deadlineMs: 60_000,
    longestMs: 120_000,
    lookEveryMs: 200,
    readNoted: () => readNotedRevisions(database),
    endSessions: () => endSessionsOfStack(database),
  };
  dump = join(running.backups, 'x.dump');
  await dumpDatabase({ ...database, target: dump });
  content = await contentOf(database);
}, 300_000);

afterAll(() => running[Symbol.asyncDispose](), 60_000);

beforeEach(async () => {
  if ((await contentOf(database)) !== content) await restoreDatabase({ ...database, dump, log });
  log.lines.splice(0);
}, 60_000);

test('migrate() brings the database to the head of the image when it is behind', async () => {
  running.stack.describe({ release: '2.0.0' });
  expect(await readRevisions(request)).toEqual({ current: ['0002'], heads: ['0003'] });

  await migrate(request);
  await migrate(request);

  expect(await readRevisions(request)).toEqual({ current: ['0003'], heads: ['0003'] });
  expect(await containersLeft()).toEqual([]);
}, 120_000);

test('migrate() names the last line of alembic when it fails half-way, and a restore gives rows and schema back', async () => {
  running.stack.describe({ release: '2.0.1-halffail' });

  const failure = await failureOf(() => migrate(request));

  expect(failure.message).toBe(
    'Cannot migrate the database with "orchestrator": RuntimeError: told to fail half-way',
  );
  expect(await contentOf(database)).toContain('full_name');
  await restoreDatabase({ ...database, dump, log });
  expect(await contentOf(database)).toBe(content);
  expect(await containersLeft()).toEqual([]);
}, 120_000);

test('readRevisions() fails with the words of alembic when the database is newer than the image', async () => {
  running.stack.describe({ release: '2.0.0' });
  await migrate(request);
  running.stack.describe({ release: '1.0.0' });

  const failure = await failureOf(() => readRevisions(request));

  expect(failure.message).toBe(
    `Cannot read the revisions of the database with "orchestrator": Can't locate revision identified by '0003'`,
  );
}, 120_000);

test('migrate() continues beyond its deadline when each step is progress', async () => {
  running.stack.describe({ release: '2.0.2-slow', stepSeconds: 1 });

  await migrate({ ...request, deadlineMs: 6_000 });

  expect(await readNotedRevisions(database)).toEqual(['0010']);
  expect(log.lines).toContain('Migrated the database to 0004');
}, 120_000);

test('migrate() ends it, its container too, when it makes no progress', async () => {
  running.stack.describe({ release: '2.0.2-slow', stepSeconds: 300 });

  const failure = await failureOf(() => migrate({ ...request, deadlineMs: 8_000 }));

  expect(failure.message).toBe(
    'Cannot migrate the database with "orchestrator": it made no progress for 8 s',
  );
  const busy = "SELECT query FROM pg_stat_activity WHERE wait_event = 'PgSleep'";
  expect(await sql(database, busy)).toEqual([]);
  expect(await containersLeft()).toEqual([]);
}, 120_000);

test('migrate() ends it when it takes longer than the limit in all, with any progress', async () => {
  running.stack.describe({ release: '2.0.2-slow', stepSeconds: 2 });

  const failure = await failureOf(() => migrate({ ...request, longestMs: 7_000 }));

  expect(failure.message).toBe('Cannot migrate the database with "orchestrator": it did not end within 7 s');
  expect(await containersLeft()).toEqual([]);
}, 120_000);

test('migrate() removes the container and runs again when the run before was killed', async () => {
  running.stack.describe({ release: '2.0.2-slow', stepSeconds: 1 });
  const { environment } = running.stack.engine;
  const program = startProgram(join(import.meta.dir, 'migrations-program.ts'), [running.stack.folder], {
    ...environment,
    PATH: process.env['PATH'] ?? '',
  });
  try {
    await waitFor('a step', async () => (await readNotedRevisions(database)).includes('0003'));
  } finally {
    program.kill('SIGKILL');
  }
  expect((await program.ended()).signal).toBe('SIGKILL');
  expect(await containersLeft()).toEqual(['homie-migration']);

  await migrate(request);

  expect(await readNotedRevisions(database)).toEqual(['0010']);
  expect(await containersLeft()).toEqual([]);
}, 120_000);

async function containersLeft(): Promise<string[]> {
  const { stdout } = await running.stack.engine.docker(['ps', '--all', '--format={{.Names}}']);
  return stdout.split('\n').filter((name) => name !== '' && !/^homie_(postgres|redis)_1$/.test(name));
}
