import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { readHistory } from '../../shared/update/transaction/transaction-store.ts';
import { asked } from '../support/scene/boot-stage.ts';
import { takeUpdaterLock } from '../support/scene/by-hand.ts';
import { EarlyStage } from '../support/scene/early-stage.ts';
import type { Ended } from '../support/scene/scene.ts';
import { until } from '../support/until.ts';

/** `migrate_in: post-install`, ended in every way: the version before it runs on, on its own data. */

setDefaultTimeout(90_000);
let stage: EarlyStage;
beforeEach(() => {
  stage = new EarlyStage();
});
afterEach(() => stage[Symbol.asyncDispose]());

const points = ['early:held', 'data:dumped', 'data:migrating', 'data:migrated', 'post-install:held'];

function expectAsBefore(): void {
  expect(stage.stack.database).toBe('0001 Ada');
  expect([stage.isHeld, stage.isUnitActive]).toEqual([false, true]);
  expect(stage.calls()).toContain(asked.start);
  expect(stage.states().at(-1)).toBe('failed');
  expect(stage.transaction().isClosed).toBe(true);
  expect(readHistory(stage.places)).toHaveLength(1);
  takeUpdaterLock(stage.places).release();
}

async function expectNothingLeft(): Promise<void> {
  const again = await stage.letStandByRun();
  expect(again).toMatchObject({ exitCode: 0 });
  // RAUC has written into the slot: that stays out of the boot order.
  expect(again.stderr).not.toContain('Repaired');
}

describe('post-install that migrates before the reboot', () => {
  const failures = [
    ['dump', 'pg_dump: error: connection lost', 'Cannot dump the database of "postgres": connection lost'],
    ['upgrade', 'FAILED: no such column', 'Cannot migrate the database with "orchestrator": no such column'],
  ] as const;
  test.each(failures)('lets the old version run on when this fails: %s', async (what, words, reason) => {
    stage.stack.fail(what, words);
    const ended = await stage.postInstall();
    expect(ended.reason).toContain(reason);
    expect(stage.transaction().steps.at(-1)?.reason).toContain(reason);
    expectAsBefore();
    await expectNothingLeft();
    expect(ended.exitCode).toBe(1);
  });

  test.each(points)('lets the old version run on when it fails at "%s"', async (point) => {
    const ended = await stage.postInstall({ fault: `fail@${point}` });
    expect(ended.reason).toBe(`Cannot pass "${point}"`);
    expectAsBefore();
    await expectNothingLeft();
  });

  test.each(points)('leaves it to the repair that stands by when it is killed at "%s"', async (point) => {
    expect((await stage.postInstall({ fault: `kill@${point}` })).exitCode).toBe(137);
    expect(stage.isUnitActive).toBe(point === 'early:held');
    expect(stage.isHeld).toBe(true);
    const repaired = await stage.letStandByRun();
    expect(repaired).toMatchObject({ exitCode: 0 });
    expectAsBefore();
    await expectNothingLeft();
  });

  test('lets the old version run on when it is stopped in the middle of the migration', async () => {
    stage.holdUpgrade();
    const ended = await stage.postInstall({ whileRunning: endUpgrading('SIGTERM') });
    expectAsBefore();
    expect(ended.reason).toContain('it was stopped by SIGTERM');
    expect(ended.exitCode).toBe(143);
  });

  test('leaves it to the repair when it is killed in the middle of the migration', async () => {
    stage.holdUpgrade();
    await stage.postInstall({ whileRunning: endUpgrading('SIGKILL') });
    expect(stage.stack.database).toBe('half Ada');
    expect([stage.isHeld, stage.isUnitActive]).toEqual([true, false]);
    stage.letUpgrade();
    expect(await stage.letStandByRun()).toMatchObject({ exitCode: 0 });
    expectAsBefore();
  });

  test.each(['crash', 'deadline'] as const)('lets the old version run on after a %s', async (way) => {
    const kind = way === 'crash' ? way : 'hang';
    const deadline = way === 'deadline' ? { HOMIE_FAULT_DEADLINE_MS: '6000' } : {};
    const env = { HOMIE_FAULT_NOTICE_MS: '500', ...deadline };
    const ended = await stage.postInstall({ fault: `${kind}@data:migrating`, env });
    expectAsBefore();
    expect(ended.exitCode).toBe(1);
  });

  test('stays held, and owes the restore, when that fails too; the repair tries again', async () => {
    stage.stack.fail('upgrade', 'FAILED: no such column');
    stage.stack.fail('restore', 'pg_restore: error: the volume is gone');
    const ended = await stage.postInstall();
    expect(ended.stderr).toContain('Cannot undo "stop the orchestrator until the reboot"');
    expect([stage.isHeld, stage.isUnitActive]).toEqual([true, false]);
    expect(stage.transaction()).toMatchObject({ isClosed: false, migration: {} });
    expect(stage.states().at(-1)).toBe('failed');
    expect((await stage.letStandByRun()).exitCode).toBe(1);
    expect([stage.isHeld, stage.isUnitActive]).toEqual([true, false]);

    stage.stack.mend();
    expect(await stage.letStandByRun()).toMatchObject({ exitCode: 0 });
    expectAsBefore();
  });

  test('starts only what ran when the orchestrator did not', async () => {
    stage.remove('unit-active');
    stage.remove('stack/running/core');
    stage.stack.fail('upgrade', 'FAILED: no such column');
    await stage.postInstall();
    expect(stage.stack.database).toBe('0001 Ada');
    expect(stage.isUnitActive).toBe(false);
    expect(stage.calls()).not.toContain(asked.start);
    expect(stage.calls().at(-1)).toBe('up --detach --no-deps orchestrator postgres');
  });
});

describe('once post-install has migrated before the reboot', () => {
  beforeEach(async () => {
    expect((await stage.postInstall()).exitCode).toBe(0);
    expect(stage.stack.database).toBe('0002 Ada');
  });

  test('the repair leaves it alone when RAUC has activated the slot', async () => {
    stage.setPrimary('rootfs.1');
    const before = stage.transaction();
    expect(await stage.letStandByRun()).toMatchObject({ exitCode: 0, reason: 'Nothing is wrong' });
    expect(stage.transaction()).toEqual(before);
    expect([stage.isHeld, stage.isReleased, stage.isUnitActive]).toEqual([true, false, false]);
  });

  test('the repair gives all back when RAUC did not activate the slot', async () => {
    expect(await stage.letStandByRun()).toMatchObject({ exitCode: 0 });
    expectAsBefore();
    await expectNothingLeft();
  });

  test('the operator may cancel it: the data is restored, and the old version runs', async () => {
    stage.setPrimary('rootfs.1');
    const ended = await stage.run(['update.sh', 'rollback']);
    expect(ended.stderr).toContain('is restored now, what is written until then is lost');
    expect(stage.stack.database).toBe('0001 Ada');
    expect(stage.calls()).toContain(asked.keepSlot);
    expect([stage.isHeld, stage.isUnitActive]).toEqual([false, true]);
    expect(stage.states().at(-1)).toBe('rolled-back');
    expect(stage.transaction().isClosed).toBe(true);
    expect(ended.exitCode).toBe(0);
  });

  test('nothing starts when the restore of a rejected update fails; it stays pending', async () => {
    stage.setPrimary('rootfs.1');
    stage.stack.fail('restore', 'pg_restore: error: the volume is gone');
    expect((await stage.run(['update.sh', 'rollback'])).exitCode).toBe(1);
    expect([stage.isHeld, stage.isReleased, stage.isUnitActive]).toEqual([true, false, false]);
    expect(stage.states().at(-1)).toBe('installed');
  });
});

describe('update.sh repair --wait', () => {
  test('waits for a live install, and for RAUC, then finds nothing to do', async () => {
    stage.holdUpgrade();
    let repaired: Promise<Ended> | undefined;
    const ended = await stage.postInstall({
      whileRunning: async () => {
        await until(() => stage.isUpgrading);
        let isOver = false;
        repaired = stage.letStandByRun().finally(() => {
          isOver = true;
        });
        stage.write('fail-rauc-status', 'already processing a different method\n');
        await Bun.sleep(2_500);
        expect(isOver).toBe(false);
        expect(stage.stack.database).toBe('half Ada');
        stage.stack.fail('upgrade', 'FAILED: no such column');
        stage.letUpgrade();
      },
    });
    expect(ended.exitCode).toBe(1);
    const asks = (): number => stage.calls().filter((call) => call === asked.status).length;
    await until(() => asks() > 1);
    stage.remove('fail-rauc-status');
    const { stderr, exitCode } = (await repaired) ?? { stderr: '', exitCode: -1 };
    expect(stderr).toContain('Waiting until that has ended: Cannot take the lock');
    expect(stderr).not.toContain('Repaired');
    expect(exitCode).toBe(0);
    expectAsBefore();
  });
});

function endUpgrading(signal: NodeJS.Signals): (process: Bun.Subprocess) => Promise<void> {
  return async (process) => {
    await until(() => stage.isUpgrading);
    process.kill(signal);
  };
}
