import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { stateOf } from '../../shared/update/transaction/transaction.ts';
import { readHistory } from '../../shared/update/transaction/transaction-store.ts';
import { MigratingStage } from '../support/scene/migrating-stage.ts';
import { sick } from '../support/servers/health-server.ts';

setDefaultTimeout(60_000);
let stage: MigratingStage;
beforeEach(() => {
  stage = new MigratingStage();
});
afterEach(() => stage[Symbol.asyncDispose]());

async function cutAt(point: string): Promise<void> {
  expect((await stage.postActivate({ fault: `kill@${point}` })).exitCode).toBe(137);
}

function expectHome(verdict: 'rolled-back' | 'fallen-back'): void {
  expect(stage.stack.database).toBe('0001 Ada');
  expect(readHistory(stage.places).map(stateOf)).toEqual([verdict]);
  expect(stage.transaction().isClosed).toBe(true);
  expect([stage.isHeld, stage.isUnitActive]).toEqual([false, true]);
}

/** A good trial, up to its last line: the next boot of the new slot makes it whole. */
const inTrial = [
  'trial:noted',
  'data:dumped',
  'data:migrating',
  'data:migrated',
  'trial:released',
  'trial:marked-good',
];
/** A bad one; `isLeft` where the bootloader has been told already. */
const inRollback: [point: string, isLeft: boolean][] = [
  ['rollback:noted', false],
  ['debt:found', false],
  ['data:restored', false],
  ['debt:paid', false],
  ['rollback:switched', true],
];
const inOldSlot = ['debt:found', 'data:restored', 'debt:paid'];

describe('post-activate, when power fails', () => {
  test.each(inTrial)('at %s of a trial: the next boot commits, on data migrated once', async (point) => {
    stage.bootNew();
    await cutAt(point);
    expect(stage.transaction().isClosed).toBe(false);
    stage.rebootInto('rootfs.1');
    expect(stage.isUnitActive).toBe(false);
    expect((await stage.postActivate()).exitCode).toBe(0);
    expect(stage.stack.database).toBe('0002 Ada');
    expect(readHistory(stage.places).map(stateOf)).toEqual(['committed']);
    expect([stage.isHeld, stage.isUnitActive]).toEqual([false, true]);
  });

  test.each(inTrial.slice(0, -1))('at %s of a trial, and the bootloader falls back', async (point) => {
    stage.bootNew();
    await cutAt(point);
    stage.rebootInto('rootfs.0');
    expect(stage.isUnitActive).toBe(false);
    expect((await stage.postActivate()).exitCode).toBe(0);
    expectHome('fallen-back');
  });

  test.each(inRollback)('at %s: the next boot carries the rollback out', async (point, isLeft) => {
    stage.bootNew();
    stage.health.answer = sick;
    await cutAt(point);
    expect(stage.states().at(-1)).toBe('rolled-back');
    if (!isLeft) {
      stage.rebootInto('rootfs.1');
      expect(stage.isUnitActive).toBe(false);
      expect((await stage.postActivate()).exitCode).toBe(30);
    }
    stage.rebootInto('rootfs.0');
    expect(stage.isUnitActive).toBe(false);
    expect((await stage.postActivate()).exitCode).toBe(0);
    expectHome('rolled-back');
  });

  test.each(inOldSlot)('at %s in the old slot: its next boot pays, and lets go', async (point) => {
    stage.bootNew();
    await stage.cutAtHealth();
    stage.rebootInto('rootfs.0');
    await cutAt(point);
    expect(stage.transaction().isClosed).toBe(false);
    stage.rebootInto('rootfs.0');
    expect(stage.isUnitActive).toBe(false);
    expect((await stage.postActivate()).exitCode).toBe(0);
    expectHome('fallen-back');
  });
});
