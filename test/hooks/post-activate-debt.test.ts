import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { type State, stateOf } from '../../shared/update/transaction/transaction.ts';
import { readHistory } from '../../shared/update/transaction/transaction-store.ts';
import { asked } from '../support/scene/boot-stage.ts';
import { writeTransaction } from '../support/scene/by-hand.ts';
import { MigratingStage } from '../support/scene/migrating-stage.ts';
import { transactionAt } from '../support/scene/transactions.ts';
import { sick } from '../support/servers/health-server.ts';

setDefaultTimeout(60_000);
let stage: MigratingStage;
beforeEach(() => {
  stage = new MigratingStage();
});
afterEach(() => stage[Symbol.asyncDispose]());

const { status, isActive, start, stop, markGood, keepSlot, leaveSlot, reboot } = asked;
const alone = [stop, 'stop core orchestrator', 'up --detach --no-deps postgres'];
const restore = ['pg_restore', 'swap'];

describe('post-activate, owing a restore', () => {
  async function leaveDebt(): Promise<void> {
    stage.bootNew();
    stage.health.answer = sick;
    stage.stack.fail('restore', 'pg_restore: error: the volume is gone');
    const ended = await stage.postActivate();
    expect(ended.stderr).toContain('Cannot restore the data yet: Cannot restore the database of "postgres"');
    expect(ended.exitCode).toBe(30);
  }

  test('still leaves the slot, but held and not closed, when the restore fails', async () => {
    await leaveDebt();
    expect(stage.calls().slice(-2)).toEqual([leaveSlot, reboot]);
    expect(stage.stack.database).toBe('0002 Ada');
    expect(stage.transaction().isClosed).toBe(false);
    expect(readHistory(stage.places)).toEqual([]);
    expect([stage.isHeld, stage.isReleased]).toEqual([true, false]);
  });

  test('restores in the old slot, though a later version has noted a state that this one does not know', async () => {
    await leaveDebt();
    const path = 'data/update/transaction.json';
    const left = stage.transaction();
    const step = { ...left.steps.at(-1), state: 'rehearsed', weather: 'fine' };
    const before = left.steps.slice(0, -1);
    stage.write(
      path,
      JSON.stringify({ ...left, format: 2, steps: [...before, step], plan: { of: 'later' } }),
    );
    stage.stack.mend();
    stage.rebootInto('rootfs.0');
    const why = await stage.run(['update.sh', 'why']);
    expect(why.stdout).toContain('→ rehearsed');
    expect(why.stdout).not.toContain('Updates may be installed at any time');
    expect((await stage.postActivate()).exitCode).toBe(0);
    expect(stage.stack.database).toBe('0001 Ada');
    expect(stage.calls().indexOf('swap')).toBeLessThan(stage.calls().indexOf(start));
    const written = JSON.parse(stage.read(path));
    expect(written).toMatchObject({ format: 2, plan: { of: 'later' }, isClosed: true });
    expect(written.steps).toContainEqual(step);
    expect(stage.states().at(-1)).toBe('fallen-back');
    expect((await stage.run(['update.sh', 'history'])).stdout).toContain('fallen-back');
  });

  test('restores although fields that are not about the data have another form, which it keeps', async () => {
    await leaveDebt();
    const path = 'data/update/transaction.json';
    stage.write(path, JSON.stringify({ ...stage.transaction(), images: 'none', baseline: 7 }));
    stage.stack.mend();
    stage.rebootInto('rootfs.0');
    expect((await stage.postActivate()).exitCode).toBe(0);
    expect(stage.stack.database).toBe('0001 Ada');
    const kept = { images: 'none', baseline: 7, isClosed: true };
    expect(JSON.parse(stage.read(path))).toMatchObject(kept);
    expect(JSON.parse(stage.read('data/update/history.jsonl'))).toMatchObject(kept);
    expect(JSON.parse((await stage.run(['update.sh', 'status', '--json'])).stdout).transaction).toMatchObject(
      kept,
    );
  });

  describe('in a form that this version cannot read', () => {
    const path = 'data/update/transaction.json';
    beforeEach(async () => {
      await leaveDebt();
      stage.write(path, JSON.stringify({ ...stage.transaction(), dump: ['of a later version'] }));
      stage.stack.mend();
      stage.rebootInto('rootfs.0');
    });

    test('goes back to the version that can, once, with the orchestrator held', async () => {
      const before = stage.read(path);
      const dry = await stage.postActivate({}, '--dry-run');
      expect(dry.reason).toStartWith('Would hold the orchestrator, and boot the other slot once');
      const ended = await stage.postActivate();
      expect(ended.reason).toContain('rebooting into the other slot');
      expect(stage.distinctCalls()).toEqual([stop, leaveSlot, reboot]);
      expect([stage.isHeld, stage.isReleased, stage.isUnitActive]).toEqual([true, false, false]);
      expect(ended.exitCode).toBe(30);

      stage.rebootInto('rootfs.0');
      const again = await stage.postActivate();
      expect(again.reason).toStartWith('Cannot restore the data that an update has changed: ');
      expect(stage.distinctCalls()).toEqual([stop]);
      expect([stage.isHeld, stage.isUnitActive]).toEqual([true, false]);
      expect(again.exitCode).toBe(1);
      expect(stage.read(path)).toBe(before);
      expect(stage.stack.database).toBe('0002 Ada');
    });

    test('is not set aside by repair, nor by an install', async () => {
      const repair = await stage.run(['update.sh', 'repair', '--yes']);
      expect(repair.stderr).toContain('has changed the data');
      stage.writeBundle({ version: '1.2.0' });
      const check = await stage.run(['install-check', '--bundle', stage.bundle]);
      expect(check.reason).toContain('has not been restored yet');
      const why = await stage.run(['update.sh', 'why']);
      expect(why.stdout).toContain('Updates are refused');
      expect(stage.isHeld).toBe(true);
      expect(stage.read(path)).toContain('of a later version');
    });
  });

  test('restores in the old slot before the orchestrator runs there, then closes', async () => {
    await leaveDebt();
    stage.stack.mend();
    stage.rebootInto('rootfs.0');
    expect(stage.isUnitActive).toBe(false);
    const ended = await stage.postActivate();
    expect(stage.distinctCalls()).toEqual([
      status,
      keepSlot,
      ...alone,
      ...restore,
      start,
      isActive,
      markGood,
    ]);
    expect(stage.stack.database).toBe('0001 Ada');
    expect(stage.transaction().isClosed).toBe(true);
    expect(readHistory(stage.places).map(stateOf)).toEqual(['rolled-back']);
    expect([stage.isHeld, stage.isUnitActive]).toEqual([false, true]);
    expect(ended.exitCode).toBe(0);
  });

  test('keeps the old slot held, and tries again in its next boot, when it fails there too', async () => {
    await leaveDebt();
    for (let boot = 0; boot < 2; boot += 1) {
      stage.rebootInto('rootfs.0');
      const ended = await stage.postActivate();
      expect(ended.reason).toStartWith('Cannot restore the database of "postgres"');
      expect(stage.calls()).not.toContain(start);
      expect([stage.isHeld, stage.isUnitActive]).toEqual([true, false]);
      expect(stage.transaction().isClosed).toBe(false);
      expect(ended.exitCode).toBe(1);
    }
    stage.stack.mend();
    stage.rebootInto('rootfs.0');
    expect((await stage.postActivate()).exitCode).toBe(0);
    expect(stage.stack.database).toBe('0001 Ada');
  });

  test('restores in the new slot, and leaves it again, when the bootloader comes back to it', async () => {
    await leaveDebt();
    stage.stack.mend();
    stage.rebootInto('rootfs.1');
    expect((await stage.postActivate()).exitCode).toBe(30);
    expect(stage.calls()).toEqual([status, ...alone, ...restore, leaveSlot, reboot]);
    expect(stage.stack.database).toBe('0001 Ada');
    expect(stage.transaction().restored).toBeDefined();
  });

  const owing: [State, verdict: State, calls: string[]][] = [
    ['migrated', 'fallen-back', [keepSlot]],
    ['trial', 'fallen-back', [keepSlot]],
    ['installing', 'failed', []],
    ['failed', 'failed', []],
    ['fallen-back', 'fallen-back', [keepSlot]],
    ['rolled-back', 'rolled-back', [keepSlot]],
  ];
  test.each(owing)('in the old slot at "%s" pays, and closes it as "%s"', async (state, verdict, calls) => {
    await leaveOwing(state);
    stage.rebootInto('rootfs.0');
    expect((await stage.postActivate()).exitCode).toBe(0);
    expect(stage.distinctCalls()).toEqual([
      status,
      ...calls,
      ...alone,
      ...restore,
      start,
      isActive,
      markGood,
    ]);
    expect(stage.stack.database).toBe('0001 Ada');
    expect(readHistory(stage.places).map(stateOf)).toEqual([verdict]);
    expect(stage.isUnitActive).toBe(true);
  });

  test('restores, and starts what it had to stop, when the unit was not held', async () => {
    await leaveOwing('failed');
    stage.remove('data/update/hold');
    stage.rebootInto('rootfs.0');
    expect(stage.isUnitActive).toBe(true);
    expect((await stage.postActivate()).exitCode).toBe(0);
    expect(stage.stack.database).toBe('0001 Ada');
    expect([stage.isHeld, stage.isUnitActive]).toEqual([false, true]);
  });

  test('holds the next boot before it restores, even if the restore fails', async () => {
    await leaveOwing('failed');
    stage.remove('data/update/hold');
    stage.stack.fail('restore', 'pg_restore: error: the volume is gone');
    stage.rebootInto('rootfs.0');
    expect((await stage.postActivate()).exitCode).toBe(1);
    expect([stage.isHeld, stage.isReleased, stage.isUnitActive]).toEqual([true, false, false]);
  });

  test('restores, and ends the update, when RAUC does not answer in the old slot', async () => {
    await leaveOwing('migrated');
    stage.rebootInto('rootfs.0');
    stage.remove('rauc-status.json');
    const ended = await stage.postActivate();
    expect(ended.reason).toStartWith('Cannot find out which slot runs');
    expect(stage.calls()).toEqual([status, ...alone, ...restore, start]);
    expect(stage.stack.database).toBe('0001 Ada');
    expect(stage.states().at(-1)).toBe('fallen-back');
    expect(stage.transaction().isClosed).toBe(false);
    expect(stage.isUnitActive).toBe(true);

    // What has been written since must outlive a boot of the new slot.
    stage.stack.database = '0001 Ada Grace';
    stage.rebootInto('rootfs.1');
    expect((await stage.postActivate()).exitCode).toBe(30);
    expect(stage.calls()).toEqual([status, leaveSlot, reboot]);
    expect(stage.stack.database).toBe('0001 Ada Grace');
  });

  test('needs no restore when a committed update is rolled back', async () => {
    await leaveOwing('migrated');
    const { steps, ...rest } = stage.transaction();
    const given = ['committed', 'rolled-back'] as const;
    const more = given.flatMap((state) => transactionAt(state).steps.slice(-1));
    writeTransaction(stage.places, { ...rest, steps: [...steps, ...more] });
    stage.rebootInto('rootfs.0');
    expect((await stage.postActivate()).exitCode).toBe(0);
    expect(stage.stack.database).toBe('0002 Ada');
    expect(stage.calls()).not.toContain('pg_restore');
    expect(stage.transaction().isClosed).toBe(true);
  });

  /** A trial that has dumped and migrated, then lost power; its transaction is made to stand at the state. */
  async function leaveOwing(state: State): Promise<void> {
    stage.bootNew();
    await stage.cutAtHealth();
    const { steps: _steps, ...rest } = stage.transaction();
    writeTransaction(stage.places, { ...rest, steps: transactionAt(state).steps });
    expect(stage.stack.database).toBe('0002 Ada');
  }
});
