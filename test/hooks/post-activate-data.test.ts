import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { existsSync } from 'node:fs';
import {
  isMigrated,
  needsRestore,
  parseTransaction,
  stateOf,
} from '../../shared/update/transaction/transaction.ts';
import { readHistory } from '../../shared/update/transaction/transaction-store.ts';
import { asked } from '../support/scene/boot-stage.ts';
import { MigratingStage } from '../support/scene/migrating-stage.ts';
import { sick } from '../support/servers/health-server.ts';
import { until } from '../support/until.ts';

setDefaultTimeout(60_000);
let stage: MigratingStage;
beforeEach(() => {
  stage = new MigratingStage();
});
afterEach(() => stage[Symbol.asyncDispose]());

const { status, isActive, start, stop, markGood, keepSlot, leaveSlot, reboot } = asked;
const alone = [stop, 'stop core orchestrator', 'up --detach --no-deps postgres'];
const restore = ['pg_restore', 'swap'];

describe('post-activate, in a trial that brings a new schema', () => {
  test('stops, dumps, migrates, lets go, starts, proves, commits: in this order', async () => {
    stage.bootNew();
    const ended = await stage.postActivate();
    expect(stage.distinctCalls()).toEqual([
      status,
      ...alone,
      'pg_dump',
      'alembic upgrade head',
      start,
      isActive,
      markGood,
    ]);
    expect(stage.stack.database).toBe('0002 Ada');
    expect(stage.states()).toEqual(['preparing', 'installed', 'trial', 'migrated', 'committed']);
    const { dump, migration, restored } = stage.transaction();
    expect(await Bun.file(dump?.path ?? '').text()).toBe('0001 Ada\n');
    expect(dump?.rows).toEqual({ people: 2 });
    expect(migration).toBeDefined();
    expect(restored).toBeUndefined();
    expect(ended.stderr).toContain('Healthy, according to: http, unit, compose, database');
    expect(ended.exitCode).toBe(0);
  });

  test('only starts it when the database is at its schema already', async () => {
    stage.bootNew();
    stage.stack.head = '0001';
    expect((await stage.postActivate()).exitCode).toBe(0);
    expect(stage.distinctCalls()).toEqual([status, ...alone, start, isActive, markGood]);
    expect(stage.states()).toEqual(['preparing', 'installed', 'trial', 'committed']);
    expect(stage.transaction().migration).toBeUndefined();
  });

  test('has the dump and its debt on the disk when the migration begins', async () => {
    stage.bootNew();
    await stage.postActivate();
    const seen = parseTransaction(JSON.parse(stage.read('stack/seen')));
    expect(seen.dump).toEqual(stage.transaction().dump);
    expect([needsRestore(seen), isMigrated(seen)]).toEqual([true, false]);
  });

  test('does not migrate, and owes nothing, when it cannot dump', async () => {
    stage.bootNew();
    stage.stack.fail('dump', 'pg_dump: error: connection lost');
    const undumped = await stage.postActivate();
    expect(undumped.reason).toContain('is not healthy: Cannot dump the database of "postgres"');
    expect(stage.calls()).not.toContain('alembic upgrade head');
    expect(stage.transaction().migration).toBeUndefined();
    expect(stage.stack.database).toBe('0001 Ada');
    expect(stage.states().at(-1)).toBe('rolled-back');
    expect(undumped.exitCode).toBe(30);
  });

  test('keeps the logs, restores and leaves the slot when the migration fails', async () => {
    stage.bootNew();
    stage.stack.fail('upgrade', 'FAILED: no such column');
    const ended = await stage.postActivate();
    expect(ended.reason).toContain('Cannot migrate the database with "orchestrator": no such column');
    expect(stage.distinctCalls()).toEqual([
      status,
      ...alone,
      'pg_dump',
      'alembic upgrade head',
      ...alone,
      ...restore,
      leaveSlot,
      reboot,
    ]);
    expect(stage.stack.database).toBe('0001 Ada');
    expect(stage.states()).toEqual(['preparing', 'installed', 'trial', 'rolled-back']);
    const { stackLogs, restored } = stage.transaction();
    expect(await Bun.file(`${stackLogs}/core.log`).text()).toContain('the last words of ');
    expect(restored).toBeDefined();
    expect(ended.exitCode).toBe(30);
  });

  test('gives the data back when it is migrated, but never gets healthy, and names what is lost', async () => {
    stage.bootNew();
    let isWritten = false;
    stage.health.answer = () => {
      if (!isWritten) stage.stack.database = '0002 Ada Grace';
      isWritten = true;
      return sick();
    };
    const ended = await stage.postActivate();
    expect(stage.stack.database).toBe('0001 Ada');
    expect(stage.transaction().restored?.dropped).toEqual(['people: 1 row more']);
    expect(ended.stderr).toContain('Dropping what was written since the dump: people: 1 row more');
    expect(stage.states()).toEqual(['preparing', 'installed', 'trial', 'migrated', 'rolled-back']);
    expect(stage.isHeld).toBe(true);
    expect(stage.isReleased).toBe(false);
    expect(ended.exitCode).toBe(30);

    stage.rebootInto('rootfs.0');
    expect(stage.isUnitActive).toBe(false);
    expect((await stage.postActivate()).exitCode).toBe(0);
    expect(stage.distinctCalls()).toEqual([status, keepSlot, start, isActive, markGood]);
    expect(readHistory(stage.places).map(stateOf)).toEqual(['rolled-back']);
  });

  test('skips dump and migration in a second boot when the first had migrated', async () => {
    stage.bootNew();
    await stage.cutAtHealth();
    expect(stage.states()).toEqual(['preparing', 'installed', 'trial', 'migrated']);
    const { dump } = stage.transaction();
    stage.rebootInto('rootfs.1');
    expect(stage.isUnitActive).toBe(false);
    expect((await stage.postActivate()).exitCode).toBe(0);
    expect(stage.distinctCalls()).toEqual([status, ...alone, start, isActive, markGood]);
    expect(stage.transaction().dump).toEqual(dump);
    expect(stage.stack.database).toBe('0002 Ada');
    expect(stage.states().slice(-2)).toEqual(['trial', 'committed']);
  });

  test('restores, and starts the migration again, in the boot after an interrupted one', async () => {
    stage.bootNew();
    stage.write('stack/cut-upgrade', '');
    await stage.postActivate({
      whileRunning: async (process) => {
        await until(() => existsSync(stage.at('stack/is-cut')));
        process.kill('SIGKILL');
      },
    });
    stage.remove('stack/cut-upgrade');
    expect(stage.stack.database).toBe('half Ada');
    expect(stage.states().at(-1)).toBe('trial');
    expect(stage.transaction().isClosed).toBe(false);

    stage.rebootInto('rootfs.1');
    expect(stage.isUnitActive).toBe(false);
    const ended = await stage.postActivate();
    expect(ended.stderr).toContain('A migration was interrupted: the data is restored from the dump first');
    expect(stage.distinctCalls()).toEqual([
      status,
      ...alone,
      ...alone,
      ...restore,
      'alembic upgrade head',
      start,
      isActive,
      markGood,
    ]);
    expect(stage.stack.database).toBe('0002 Ada');
    expect(stage.transaction()).toMatchObject({ isClosed: true, migration: {} });
    expect(stage.transaction().restored).toBeUndefined();
    expect(ended.exitCode).toBe(0);
  });
});
