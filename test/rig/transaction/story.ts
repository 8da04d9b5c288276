import { expect } from 'bun:test';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { lastStep, stateOf, type Transaction } from '../../../shared/update/transaction/transaction.ts';
import { until } from '../../support/until.ts';
import { install, isOrchestratorActive, postActivate, statesOf, transactionOf } from '../board.ts';
import type { ComposeOptions } from '../stack/compose-file.ts';
import type { Release } from '../stack/releases.ts';
import type { Workshop } from '../workshop.ts';
import { historyOf } from './history.ts';
import type { Stage } from './stage.ts';

/** A database that has run out of space takes its time to say so. */
const verdictMs = 400_000;

/** What updates do to a device with the stack on it, and how it has to stand after each of their ends. */
export class Story {
  readonly stage: Stage;
  readonly #workshop: Workshop;
  /** The rows that every rollback has to give back. */
  people: string[] = [];
  /** The verdict that post-activate came to last. */
  verdict: { exitCode: number; stderr: string } = { exitCode: -1, stderr: '' };

  private constructor(stage: Stage, workshop: Workshop) {
    this.stage = stage;
    this.#workshop = workshop;
  }

  static async begin(stage: Stage, workshop: Workshop): Promise<Story> {
    const story = new Story(stage, workshop);
    await story.remember();
    return story;
  }

  async remember(): Promise<void> {
    this.people = await this.rowsOf('people');
  }

  rowsOf(table: string): Promise<string[]> {
    return this.stage.stack.sql(`SELECT * FROM ${table} ORDER BY id`);
  }

  /** RAUC refuses or fails, says why, and nothing is different. */
  async expectFailedInstall(
    version: string,
    release: Release,
    reason: RegExp,
    wish: Partial<ComposeOptions> = {},
  ): Promise<void> {
    const { device, stack } = this.stage;
    const booted = device.booted;
    const { exitCode, lastError } = await install(device, await this.stage.bundleOf(version, release, wish));
    expect(exitCode).toBe(1);
    expect(`${lastError}\n${this.raucLog()}`).toMatch(reason);
    expect(await isOrchestratorActive(device)).toBe(true);
    await stack.healthy(60_000);
    expect(await this.rowsOf('people')).toEqual(this.people);
    expect(device.booted).toBe(booted);
  }

  async installAndReboot(
    version: string,
    release: Release,
    wish: Partial<ComposeOptions> = {},
  ): Promise<void> {
    const { device } = this.stage;
    const from = device.booted;
    const bundle = await this.stage.bundleOf(version, release, wish);
    const { exitCode } = await install(device, bundle);
    expect({ exitCode, told: this.raucLog().split('\n').slice(-12) }).toMatchObject({ exitCode: 0 });
    expect((await this.stage.reboot()).booted).not.toBe(from);
  }

  async postActivate(): Promise<void> {
    this.verdict = await postActivate(this.stage.device, {}, verdictMs);
  }

  /** Unless it was asked for already, post-activate decides now. Then the old version runs on its own data. */
  async expectRolledBack(reason: RegExp, isAsked = true): Promise<void> {
    if (isAsked) await this.postActivate();
    expect(this.verdict).toMatchObject({ exitCode: 30 });
    expect(this.stage.device.rebootRequested()).toBe(true);
    expect((await this.stage.reboot()).booted).toBe('A');
    await this.expectHome('rolled-back', reason);
  }

  /** The first boot of the version before it, and one more, which changes nothing. */
  async expectHome(state: 'rolled-back' | 'fallen-back', reason: RegExp): Promise<void> {
    const { device, stack } = this.stage;
    expect(await this.ordinaryBoot()).toMatchObject({ exitCode: 0 });
    expect(await stack.health()).toMatchObject({ status: 200 });
    expect(await this.rowsOf('people')).toEqual(this.people);
    expect(await stack.sql('SELECT version_num FROM alembic_version')).toEqual(['0002']);
    const last = this.lastUpdate();
    expect(stateOf(last)).toBe(state);
    expect(lastStep(last).reason).toMatch(reason);
    if (state === 'rolled-back') expect(readdirSync(last.stackLogs ?? '')).toContain('homie_core.log');
    expect(await device.bootEnvironment()).toMatchObject({ BOOT_ORDER: 'A B', BOOT_A_LEFT: '3' });
    const count = historyOf(this.stage).length;
    expect(await this.ordinaryBoot()).toMatchObject({ exitCode: 0 });
    expect(historyOf(this.stage)).toHaveLength(count);
    expect(await this.rowsOf('people')).toEqual(this.people);
    this.stage.configure({});
  }

  async expectCommitted(revision: string, states: readonly string[]): Promise<void> {
    const { device, stack } = this.stage;
    expect(this.verdict).toMatchObject({ exitCode: 0 });
    const transaction = transactionOf(device);
    expect(statesOf(transaction)).toEqual([...states]);
    expect(await stack.health()).toMatchObject({ status: 200 });
    expect(await stack.sql('SELECT version_num FROM alembic_version')).toEqual([revision]);
    expect(existsSync(join(device.dataFolder, 'update', 'hold'))).toBe(false);
    expect(await postActivate(device)).toMatchObject({ exitCode: 0 });
    expect(transactionOf(device)).toEqual(transaction);
    this.stage.configure({});
  }

  lastUpdate(): Transaction {
    const last = historyOf(this.stage).at(-1);
    if (last === undefined) throw new Error('the history is empty');
    return last;
  }

  /** The factory's slot carries no programs of ours: those of the workshop stand in. */
  ordinaryBoot() {
    const program = join(this.#workshop.programs, 'post-activate');
    return this.stage.device.run(program, [], { deadlineMs: 180_000 });
  }

  async whenMigrated(): Promise<void> {
    const { device } = this.stage;
    await until(() => statesOf(transactionOf(device)).includes('migrated'), verdictMs);
  }

  raucLog(): string {
    return readFileSync(join(this.stage.device.folder, 'rauc.log'), 'utf8');
  }
}

export const withMigration = ['preparing', 'installing', 'installed', 'trial', 'migrated', 'committed'];
export const withoutMigration = withMigration.filter((state) => state !== 'migrated');
