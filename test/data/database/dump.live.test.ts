import { afterAll, afterEach, beforeAll, expect, test } from 'bun:test';
import { readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { dumpFile } from '../../../shared/data/backups/backup.ts';
import {
  type Containers,
  type Database,
  endSessionsOfStack,
} from '../../../shared/data/database/database.ts';
import { readNotedRevisions } from '../../../shared/data/database/database-facts.ts';
import { dumpDatabase, verifyDump } from '../../../shared/data/database/dump.ts';
import { waitFor } from '../../rig/stack/wait-for.ts';
import { failureOf } from '../../support/failure-of.ts';
import { onSmallDisk } from '../../support/scene/small-disk.ts';
import { run } from '../archive/archive-tree.ts';
import { bulk, sql } from './database-content.ts';
import { type RunningStack, startStack } from './database-stack.ts';

let running: RunningStack;
let database: Database;

beforeAll(async () => {
  running = await startStack();
  database = { containers: running.quick, service: 'postgres' };
  await sql(database, bulk(220_000));
}, 300_000);

afterAll(() => running[Symbol.asyncDispose](), 60_000);

afterEach(() => {
  for (const name of readdirSync(running.backups)) rmSync(join(running.backups, name));
});

test('dumpDatabase() leaves a private dump and the checksum that sha256sum accepts when it is done', async () => {
  writeFileSync(`${target()}.part`, 'left by a run that was killed', { mode: 0o644 });

  const report = await dumpDatabase({ ...database, containers: running.containers, target: target() });

  expect(report).toEqual({
    path: target(),
    sha256: report.sha256,
    bytes: statSync(target()).size,
    revisions: ['0002'],
    rows: { alembic_version: 1, bulk: 220_000, people: 2, rooms: 3 },
    databaseBytes: report.databaseBytes,
  });
  expect(report.databaseBytes).toBeGreaterThan(30_000_000);
  expect(readdirSync(running.backups).sort()).toEqual(['x.dump', 'x.dump.sha256']);
  expect(statSync(target()).mode & 0o777).toBe(0o600);
  const { stdout } = await run`env -C ${running.backups} sha256sum --check x.dump.sha256`;
  expect(stdout).toBe('x.dump: OK\n');
  expect(await verifyDump({ ...database, containers: running.containers, path: target() })).toEqual({
    sha256: report.sha256,
  });
});

test('dumpDatabase() says that there is no space and leaves nothing when the disk is full', async () => {
  await onSmallDisk(running.folder, 512, async ({ path }) => {
    const failure = await failureOf(() => dumpDatabase({ ...database, target: join(path, 'y.dump') }));

    expect(failure.outcome).toBe('noSpace');
    expect(failure.message).toBe(`Cannot write the backup "${path}/y.dump": no space left on the device`);
    expect(readdirSync(path)).toEqual([]);
    await noSessionOfOurs();
  });
});

test('dumpDatabase() keeps the older dump of that name when the container goes in the middle', async () => {
  const older = await dumpDatabase({ ...database, target: target() });
  const containers = onDump(async () => {
    await waitFor('the first bytes', () => statSync(`${target()}.part`).size > 100_000, { everyMs: 5 });
    await running.stack.engine.docker(['kill', 'homie_postgres_1']);
  });

  const failure = await failureOf(() => dumpDatabase({ ...database, containers, target: target() }));
  await running.stack.engine.docker(['start', 'homie_postgres_1']);
  await waitFor('the database', async () => await sql(database, 'SELECT 1').catch(() => undefined));

  expect(failure.message).toStartWith('Cannot dump the database of "postgres": ');
  expect(readdirSync(running.backups).sort()).toEqual(['x.dump', 'x.dump.sha256']);
  expect(await verifyDump({ ...database, path: target() })).toEqual({ sha256: older.sha256 });
});

test('dumpDatabase() stops, in the container too, when there is no progress', async () => {
  const locking = { done: Promise.resolve<unknown>(undefined) };
  const containers = onDump(undefined, async () => {
    locking.done = sql(
      database,
      'SET application_name = lock; BEGIN; LOCK TABLE bulk; SELECT pg_sleep(300)',
    ).catch((error) => error);
    await waitFor('the lock', async () => {
      const [locks] = await sql(
        database,
        "SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND granted",
      );
      return locks !== '0';
    });
  });

  const failure = await failureOf(() =>
    dumpDatabase({ ...database, containers, target: target(), stallMs: 1_000 }),
  );

  expect(failure.message).toBe('Cannot dump the database of "postgres": no progress for 1 s');
  expect(readdirSync(running.backups)).toEqual([]);
  await noSessionOfOurs();
  await endSessionsOfStack(database);
  expect(await locking.done).toBeInstanceOf(Error);
});

test('dumpDatabase() leaves nothing when it is stopped', async () => {
  const stop = new AbortController();
  const containers = onDump(async () => {
    await waitFor('the first bytes', () => statSync(`${target()}.part`).size > 0, { everyMs: 5 });
    stop.abort();
  });

  const failure = await failureOf(() =>
    dumpDatabase({ ...database, containers, target: target(), signal: stop.signal }),
  );

  expect(failure.message).toContain('the program was stopped');
  expect(readdirSync(running.backups)).toEqual([]);
  await noSessionOfOurs();
});

test('dumpDatabase() refuses before it writes anything when a restore could not name its database', async () => {
  const long = 'n'.repeat(55);
  const containers: Containers = {
    exec: (service, argv, options) =>
      running.quick.exec(service, ['env', `POSTGRES_DB=${long}`, ...argv], options),
  };

  const failure = await failureOf(() => dumpDatabase({ ...database, containers, target: target() }));

  expect(failure.message).toBe(
    `Cannot restore the database "${long}": its name is too long to have another beside it`,
  );
  expect(readdirSync(running.backups)).toEqual([]);
});

test('readNotedRevisions() answers with what alembic has noted, and with nothing when it was never there', async () => {
  expect(await readNotedRevisions(database)).toEqual(['0002']);
  await sql(database, 'ALTER TABLE alembic_version RENAME TO hidden');
  try {
    expect(await readNotedRevisions(database)).toEqual([]);
  } finally {
    await sql(database, 'ALTER TABLE hidden RENAME TO alembic_version');
  }
});

test('dumpFile() makes a name in the folder when a version looks like a path', () => {
  const at = new Date('2024-02-03T04:05:06.789Z');

  expect(dumpFile('/data/backups', undefined, '../../etc/x y', at, 'dump')).toBe(
    '/data/backups/pre-migrate-unknown-.._.._etc_x_y-20240203T040506Z.dump',
  );
});

function target(): string {
  return join(running.backups, 'x.dump');
}

/** Does something beside pg_dump, or before it. */
function onDump(beside?: () => Promise<void>, before?: () => Promise<void>): Containers {
  return {
    async exec(service, argv, options) {
      const isDump = argv.includes('pg_dump');
      if (isDump) await before?.();
      const [result] = await Promise.all([
        running.quick.exec(service, argv, options),
        isDump ? beside?.() : undefined,
      ]);
      return result;
    },
  };
}

async function noSessionOfOurs(): Promise<void> {
  const script =
    "SELECT pid FROM pg_stat_activity WHERE application_name = 'homie-update' AND pid <> pg_backend_pid()";
  expect(await sql(database, script)).toEqual([]);
}
