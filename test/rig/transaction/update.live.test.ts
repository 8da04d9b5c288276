import { afterAll, beforeAll, describe, expect } from 'bun:test';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readHistory } from '../../../shared/update/journal.ts';
import { lastStep, stateOf, type Transaction } from '../../../shared/update/transaction.ts';
import { install, isOrchestratorActive, logOf, postActivate, statesOf, transactionOf } from '../board.ts';
import { scenario } from '../report.ts';
import type { ComposeOptions } from '../stack/compose-file.ts';
import type { Release } from '../stack/releases.ts';
import { openWorkshop, type Workshop } from '../workshop.ts';
import { fillDisk } from './full-disk.ts';
import { openStage, type Stage } from './stage.ts';

/** One device lives through all of it: after each of the first ones it is back where it began. */
describe('slot and data as one transaction, with a real stack', () => {
  let workshop: Workshop;
  let stage: Stage;
  /** The rows that every rollback has to give back. */
  let people: string[];

  beforeAll(async () => {
    workshop = await openWorkshop();
    stage = await openStage(workshop);
    people = await rowsOf('people');
  }, 300_000);
  afterAll(async () => {
    await stage?.[Symbol.asyncDispose]();
    workshop?.[Symbol.dispose]();
  }, 60_000);

  describe('an install that fails leaves the stack as it was', () => {
    scenario('when an image is missing in the registry', async () => {
      const registry = `${stage.registry.name}/nowhere`;
      const reason = /Cannot pull image ".*\/nowhere\/.*": the registry does not have it/;
      await expectFailedInstall('2.0.0-rc.1', '2.0.0', reason, { registry });
    });

    scenario('when the registry is down', async () => {
      await stage.registry.stop();
      configure({ pull_deadline_seconds: 5 });
      await expectFailedInstall('2.0.2-rc.1', '2.0.2-slow', /Cannot pull .*2\.0\.2-slow/);
      configure({});
      await stage.registry.start();
    });

    scenario('when the disk is full at the backup', async () => {
      configure({ reserve_mib: 0 });
      await using _full = await fillDisk(stage.device.dataFolder, { leaveKiB: 24 });
      await expectFailedInstall('2.0.0-rc.2', '2.0.0', /no space left|is full|are free/i);
    });

    scenario('and the next one is taken as if nothing had been', async () => {
      configure({});
      expect(await stage.stack.health()).toMatchObject({ status: 200 });
      expect(await rowsOf('people')).toEqual(people);
    });
  });

  describe('a trial that fails gives slot and data back', () => {
    scenario('when the migration fails half-way', async () => {
      await installAndReboot('2.0.1', '2.0.1-halffail');
      await expectRolledBack(/Cannot migrate the database/);
    });

    scenario('when the application never gets healthy, with what was written before the reboot', async () => {
      await stage.stack.sql("INSERT INTO people (name) VALUES ('Grace Hopper')");
      people = await rowsOf('people');
      configure({ health_deadline_seconds: 12 });
      await installAndReboot('2.0.0', '2.0.0', { behaviour: 'never-healthy' });
      await expectRolledBack(/http: it answers 503/);
    });

    scenario('when it is healthy at first and then crashes again and again', async () => {
      configure({ settle_seconds: 12, health_deadline_seconds: 20 });
      await installAndReboot('2.0.0', '2.0.0', { behaviour: 'crash-after 4' });
      await expectRolledBack(/homie_core/);
    });

    scenario('when it gets healthy just after the deadline', async () => {
      configure({ health_deadline_seconds: 8 });
      await installAndReboot('2.0.0', '2.0.0', { behaviour: 'healthy-after 40' });
      await expectRolledBack(/http: /);
    });

    scenario('and names what was written during the trial, for it is dropped', async () => {
      configure({ health_deadline_seconds: 14 });
      await installAndReboot('2.0.0', '2.0.0', { behaviour: 'never-healthy' });
      const deciding = postActivateHere();
      await whenMigrated();
      await stage.stack.sql("INSERT INTO rooms (name) VALUES ('cellar'), ('garage')");
      await deciding;
      await expectRolledBack(/http: it answers 503/, false);
      expect(lastOf(history()).restored?.dropped).toEqual([expect.stringContaining('rooms: 2 rows more')]);
      expect(logOf(stage.device)).toContain('rooms: 2 rows more');
    });
  });

  describe('a trial that goes well is committed on migrated data', () => {
    scenario(
      'though the migration of eight steps takes longer than its plain deadline, for it moves',
      async () => {
        configure({ migration_deadline_seconds: 6 });
        await installAndReboot('2.0.2', '2.0.2-slow', { stepSeconds: 2 });
        await postActivateHere();
        await expectCommitted('0010');
      },
    );
  });

  async function expectFailedInstall(
    version: string,
    release: Release,
    reason: RegExp,
    wish: Partial<ComposeOptions> = {},
  ): Promise<void> {
    const { device, stack } = stage;
    const { exitCode, lastError } = await install(device, await stage.bundleOf(version, release, wish));
    expect(exitCode).toBe(1);
    expect(`${lastError}\n${readFileSync(join(device.folder, 'rauc.log'), 'utf8')}`).toMatch(reason);
    expect(await isOrchestratorActive(device)).toBe(true);
    await stack.healthy(60_000);
    expect(await rowsOf('people')).toEqual(people);
    expect(stage.device.booted).toBe('A');
  }

  async function installAndReboot(
    version: string,
    release: Release,
    wish: Partial<ComposeOptions> = {},
  ): Promise<void> {
    const bundle = await stage.bundleOf(version, release, wish);
    const { exitCode } = await install(stage.device, bundle);
    const told = readFileSync(join(stage.device.folder, 'rauc.log'), 'utf8').split('\n').slice(-12);
    expect({ exitCode, told }).toMatchObject({ exitCode: 0 });
    expect((await stage.reboot()).booted).toBe('B');
  }

  let verdict: { exitCode: number; stderr: string };
  async function postActivateHere(): Promise<void> {
    verdict = await postActivate(stage.device);
  }

  async function expectRolledBack(reason: RegExp, isAsked = true): Promise<void> {
    const { device, stack } = stage;
    if (isAsked) await postActivateHere();
    if (isAsked) expect(verdict).toMatchObject({ exitCode: 30 });
    expect(device.rebootRequested()).toBe(true);
    expect((await stage.reboot()).booted).toBe('A');
    expect(await ordinaryBoot()).toMatchObject({ exitCode: 0 });
    expect(await stack.health()).toMatchObject({ status: 200 });
    expect(await rowsOf('people')).toEqual(people);
    expect(await stack.sql('SELECT version_num FROM alembic_version')).toEqual(['0002']);
    const last = lastOf(history());
    expect(stateOf(last)).toBe('rolled-back');
    expect(lastStep(last).reason).toMatch(reason);
    expect(readdirSync(last.stackLogs ?? '')).toContain('homie_core.log');
    expect(await device.bootEnvironment()).toMatchObject({ BOOT_ORDER: 'A B', BOOT_A_LEFT: '3' });
    const count = history().length;
    expect(await ordinaryBoot()).toMatchObject({ exitCode: 0 });
    expect(history()).toHaveLength(count);
    expect(await rowsOf('people')).toEqual(people);
    configure({});
  }

  async function expectCommitted(revision: string): Promise<void> {
    const { device, stack } = stage;
    expect(verdict).toMatchObject({ exitCode: 0 });
    const transaction = transactionOf(device);
    expect(statesOf(transaction)).toEqual([
      'preparing',
      'installing',
      'installed',
      'trial',
      'migrated',
      'committed',
    ]);
    expect(await stack.health()).toMatchObject({ status: 200 });
    expect(await stack.sql('SELECT version_num FROM alembic_version')).toEqual([revision]);
    expect(existsSync(join(device.dataFolder, 'update', 'hold'))).toBe(false);
    const again = await postActivate(device);
    expect(again).toMatchObject({ exitCode: 0 });
    expect(transactionOf(device)).toEqual(transaction);
  }

  /** The factory's slot carries no programs of ours: those of the workshop stand in. */
  function ordinaryBoot() {
    return stage.device.run(join(workshop.programs, 'post-activate'), [], { deadlineMs: 180_000 });
  }

  async function whenMigrated(): Promise<void> {
    while (!transactionOf(stage.device).steps.some(({ state }) => state === 'migrated')) await Bun.sleep(100);
  }

  function configure(update: Record<string, string | number>): void {
    stage.configure(update);
  }

  function history(): Transaction[] {
    return readHistory({ data: stage.device.dataFolder, root: '', run: '' });
  }

  async function rowsOf(table: string): Promise<string[]> {
    return await stage.stack.sql(`SELECT * FROM ${table} ORDER BY id`);
  }
});

function lastOf(history: Transaction[]): Transaction {
  const last = history.at(-1);
  if (last === undefined) throw new Error('the history is empty');
  return last;
}
