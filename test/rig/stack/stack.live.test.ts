import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { statSync, writeFileSync } from 'node:fs';
import { CommandFailure, type CommandResult } from '../../../shared/system/process/command.ts';
import { failureOf } from '../../support/failure-of.ts';
import { TempFolder } from '../../support/temp-folder.ts';
import { database } from './compose-file.ts';
import { type Engine, startEngine } from './engine.ts';
import { imageName, stackImages } from './images.ts';
import { type Registry, startRegistry } from './registry.ts';
import { type Release, schemaOf } from './releases.ts';
import { Stack } from './stack.ts';
import { waitFor } from './wait-for.ts';

setDefaultTimeout(60_000);
const folder = new TempFolder();
const owed = new AsyncDisposableStack();
let engine: Engine;
let registry: Registry;
let stack: Stack;

beforeAll(async () => {
  owed.defer(() => folder[Symbol.dispose]());
  const images = await stackImages();
  engine = owed.use(await startEngine({ folder: folder.at('engine') }));
  registry = owed.use(await startRegistry({ folder: folder.at('registry'), images }));
  const place = { engine, folder: folder.at('opt'), dataFolder: folder.at('data') };
  stack = new Stack({ ...place, registry: registry.name, release: '1.0.0' });
  await stack.upAndMigrated('1.0.0');
}, 600_000);
afterAll(() => owed.disposeAsync());

describe('the stack at 1.0.0', () => {
  test('is healthy and keeps its data where the board does', async () => {
    expect(await stack.health()).toEqual({ status: 200, said: '{"status": "healthy"}' });
    expect(await stack.sql('SELECT name FROM rooms ORDER BY id')).toEqual(['kitchen', 'hall', 'attic']);
    expect(statSync(folder.at('data/postgres/PG_VERSION')).uid).toBe(999);
    const { stdout } = await stack.compose(['exec', '-T', 'redis', 'redis-cli', 'save']);
    expect(stdout.trim()).toBe('OK');
    expect(statSync(folder.at('data/redis/dump.rdb')).size).toBeGreaterThan(0);
  });

  test.each(['stop', 'cutPower'] as const)(
    'comes back by itself with its rows after %s and start of the engine',
    async (end) => {
      await stack.sql(`INSERT INTO rooms (name) VALUES ('${end}')`);
      await engine[end]();
      expect(await stack.health()).toBeUndefined();
      await engine.start();
      await stack.healthy();
      expect(await stack.sql('SELECT name FROM rooms')).toContain(end);
    },
  );

  test('is dumped, and the dump is listed and restored, through the container', async () => {
    const login = [`--username=${database.user}`, `--dbname=${database.name}`];
    const inPostgres = (...words: string[]): Promise<CommandResult> =>
      stack.compose(['exec', '-T', 'postgres', ...words]);
    await inPostgres('pg_dump', ...login, '--format=custom', '--file=/tmp/dump');
    expect((await inPostgres('pg_restore', '--list', '/tmp/dump')).stdout).toContain(
      'TABLE DATA public rooms',
    );
    await stack.sql('DELETE FROM rooms');
    await inPostgres('pg_restore', ...login, '--clean', '--single-transaction', '/tmp/dump');
    expect(await stack.sql("SELECT name FROM rooms WHERE name = 'attic'")).toEqual(['attic']);
  });
});

describe('core', () => {
  /** As its switch says, from now on. */
  async function behave(behaviour: string): Promise<void> {
    writeFileSync(folder.at('data/config/core/behaviour'), behaviour);
    await stack.compose(['restart', 'homie_core']);
  }
  const restartsOfCore = async (): Promise<number> => {
    const { stdout } = await engine.docker(['inspect', '--format={{.RestartCount}}', 'opt_homie_core_1']);
    return Number(stdout);
  };

  test('is never healthy, or late, when it is told so', async () => {
    await behave('never-healthy');
    const answer = await waitFor('an answer', () => stack.health());
    expect(answer).toEqual({ status: 503, said: '{"status": "told to be unhealthy"}' });
    await behave('healthy-after 8');
    expect((await waitFor('an answer', () => stack.health())).status).toBe(503);
    await stack.healthy();
  });

  test('is healthy and crashes then, or crashes again and again, when it is told so', async () => {
    await behave('crash-after 1.5');
    await stack.healthy();
    const restarts = await restartsOfCore();
    await waitFor('the crash', async () => (await restartsOfCore()) > restarts);
    await behave('crash-at-start');
    const before = await restartsOfCore();
    await waitFor('the next crash', async () => (await restartsOfCore()) > before);
    await behave('');
    await stack.healthy();
  });
});

describe('migrations', () => {
  /** A database beside the services' own, as 1.0.0 leaves it. */
  async function newDatabase(name: string) {
    await stack.sql(`CREATE DATABASE ${name}`);
    const url = `postgresql://${database.user}:${encodeURIComponent(database.password)}@postgres/${name}`;
    const migrate = (release: Release, stepSeconds = 0): Promise<CommandResult> => {
      const image = imageName(registry.name, 'orchestrator', release);
      const settings = [`--env=DATABASE_URL=${url}`, `--env=STEP_SECONDS=${stepSeconds}`];
      const upgrade = ['python', '-m', 'alembic', 'upgrade', 'head'];
      return engine.docker(['run', '--rm', '--network=opt_default', ...settings, image, ...upgrade]);
    };
    const sql = (query: string): Promise<string[]> => stack.sql(query, name);
    await migrate('1.0.0');
    return { migrate, sql };
  }

  test('of 2.0.1-halffail leave their first step and the old revision', async () => {
    const { migrate, sql } = await newDatabase('half');
    const failure = await failureOf(() => migrate('2.0.1-halffail'));
    expect(failure).toBeInstanceOf(CommandFailure);
    expect(failure.message).toContain('told to fail half-way');
    expect(await sql('SELECT version_num FROM alembic_version')).toEqual(['0002']);
    expect(await sql('SELECT full_name FROM people ORDER BY id')).toEqual(['Ada Lovelace', 'Alan Turing']);
  });

  test('of 2.0.2-slow are seen one by one', async () => {
    const { migrate, sql } = await newDatabase('slow');
    const seen = new Set<string>();
    const migration = migrate('2.0.2-slow', 0.4);
    await waitFor('the last revision', async () => {
      for (const revision of await sql('SELECT version_num FROM alembic_version')) seen.add(revision);
      return seen.has(schemaOf('2.0.2-slow'));
    });
    await migration;
    expect(seen.size).toBeGreaterThan(2);
  });
});

test('the stack goes from 1.0.0 to 2.0.0, and 1.0.0 cannot work with what it leaves', async () => {
  const head = await stack.alembic('heads');
  expect(head.stdout).toContain('0002 (head)');
  await stack.upAndMigrated('2.0.0');
  expect((await stack.alembic('current')).stdout).toContain('0003 (head)');
  expect(await stack.sql('SELECT first_name, last_name FROM people ORDER BY id')).toEqual([
    'Ada|Lovelace',
    'Alan|Turing',
  ]);
  stack.describe({ release: '1.0.0' });
  await stack.compose(['up', '-d', '--no-deps', 'homie_core']);
  const answer = await waitFor('an answer', () => stack.health());
  expect(answer).toEqual({ status: 503, said: '{"status": "schema 0003 is not 0002"}' });
});
