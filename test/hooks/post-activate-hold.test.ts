import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { existsSync, mkdirSync } from 'node:fs';
import type { State } from '../../shared/update/transaction/transaction.ts';
import { asked, BootStage } from '../support/scene/boot-stage.ts';
import { writeTransaction } from '../support/scene/by-hand.ts';
import { bootId, treeOf } from '../support/scene/scene.ts';
import { transactionAt } from '../support/scene/transactions.ts';
import { sick } from '../support/servers/health-server.ts';

setDefaultTimeout(30_000);
let stage: BootStage;
beforeEach(() => {
  stage = new BootStage();
});
afterEach(() => stage[Symbol.asyncDispose]());

type Slot = 'rootfs.0' | 'rootfs.1';
const closed = { isClosed: true };

/** Whether it runs when post-activate has ended, and whether the next boot is held. */
interface Life {
  ends: boolean;
  holdsNext: boolean;
}

/** The state at a boot with a left-over hold, and whether the orchestrator starts. */
const boots: [boot: string, slot: Slot, state: State | 'none' | 'damaged', options: object, Life][] = [
  ['an ordinary boot', 'rootfs.0', 'none', {}, { ends: true, holdsNext: false }],
  ['a boot after a commit', 'rootfs.1', 'committed', closed, { ends: true, holdsNext: false }],
  ['a boot after an interrupted commit', 'rootfs.1', 'committed', {}, { ends: true, holdsNext: false }],
  ['a boot after a cancelled update', 'rootfs.0', 'rolled-back', closed, { ends: true, holdsNext: false }],
  [
    'a boot after an install that RAUC failed',
    'rootfs.0',
    'failed',
    closed,
    { ends: true, holdsNext: false },
  ],
  ['the same, left open', 'rootfs.0', 'failed', {}, { ends: true, holdsNext: false }],
  ['a boot without a transaction to read', 'rootfs.0', 'damaged', {}, { ends: true, holdsNext: false }],
  ['a trial', 'rootfs.1', 'installed', {}, { ends: true, holdsNext: false }],
  ['a second trial', 'rootfs.1', 'trial', {}, { ends: true, holdsNext: false }],
  ['a fallback', 'rootfs.0', 'installed', {}, { ends: true, holdsNext: false }],
  ['an install that never finished', 'rootfs.0', 'installing', {}, { ends: true, holdsNext: false }],
  ['a rollback that got home', 'rootfs.0', 'rolled-back', {}, { ends: true, holdsNext: false }],
  ['a rollback not carried out', 'rootfs.1', 'rolled-back', {}, { ends: false, holdsNext: true }],
  [
    'a fallback that the bootloader took back',
    'rootfs.1',
    'fallen-back',
    {},
    { ends: false, holdsNext: true },
  ],
];

function leave(state: State | 'none' | 'damaged', options: object): void {
  stage.leaveUpdate(transactionAt(state === 'none' || state === 'damaged' ? 'preparing' : state, options));
  const file = 'data/update/transaction.json';
  if (state === 'none') stage.remove(file);
  if (state === 'damaged') stage.write(file, '{');
}

describe('the hold', () => {
  test.each(boots)(
    'through %s (%s, %s): the orchestrator is held, then as post-activate decides',
    async (_boot, booted, state, options, life) => {
      leave(state, options);
      stage.bootInto({ booted });
      expect(stage.isUnitActive).toBe(false);
      await stage.postActivate();
      expect(stage.isUnitActive).toBe(life.ends);
      expect(stage.isHeld).toBe(life.holdsNext);
      // Held and then let go is a matter of this boot; systemd's conditions see to the next one.
      stage.bootInto({ booted });
      expect(stage.isUnitActive).toBe(!life.holdsNext);
    },
  );

  test.each(boots.filter(([, slot]) => slot === 'rootfs.0'))(
    'lets the orchestrator run in %s (%s, %s) although RAUC does not answer',
    async (_boot, booted, state, options) => {
      leave(state, options);
      stage.bootInto({ booted });
      stage.remove('rauc-status.json');
      expect((await stage.postActivate()).exitCode).toBe(1);
      expect(stage.isUnitActive).toBe(true);
    },
  );

  test('is taken back before the slot is left, when a trial fails', async () => {
    stage.leaveUpdate(transactionAt('installed'));
    stage.bootInto({ booted: 'rootfs.1' });
    stage.health.answer = sick;
    stage.fake(
      'rauc',
      'case "$2" in --detailed) cat rauc-status.json;; mark-active) ls data/update/hold run/released > seen 2>&1 || true;; esac',
    );
    expect((await stage.postActivate()).exitCode).toBe(30);
    expect(stage.read('seen')).toContain('data/update/hold\n');
    expect(stage.read('seen')).toMatch(/'run\/released': No such file/);
    stage.health.answer = () => new Response('ok');
    stage.bootInto({ booted: 'rootfs.0' });
    expect(stage.isUnitActive).toBe(false);
    expect((await stage.postActivate()).exitCode).toBe(0);
    expect(stage.isUnitActive).toBe(true);
    expect(stage.isHeld).toBe(false);
  });

  test('is dropped only after the commit is on the disk', async () => {
    stage.leaveUpdate(transactionAt('installed'));
    stage.bootInto({ booted: 'rootfs.1' });
    mkdirSync(stage.at('data/update/history.jsonl'));
    expect((await stage.postActivate()).exitCode).toBe(1);
    expect(stage.isHeld).toBe(true);
    expect(stage.transaction().isClosed).toBe(false);

    stage.remove('data/update/history.jsonl');
    stage.bootInto({ booted: 'rootfs.1' });
    expect((await stage.postActivate()).exitCode).toBe(0);
    expect([stage.isHeld, stage.isUnitActive]).toEqual([false, true]);
    expect(stage.states()).toEqual(['preparing', 'installed', 'trial', 'committed']);
    expect(stage.transaction().isClosed).toBe(true);
  });

  test('stays while an installed update waits for its reboot in this boot', async () => {
    writeTransaction(stage.places, transactionAt('installed', { bootId }));
    stage.bootInto({ booted: 'rootfs.0', primary: 'rootfs.1' });
    stage.write('data/update/hold', '');
    stage.write('run/released', '');
    const before = treeOf(stage.at('data/update'));
    expect((await stage.postActivate()).exitCode).toBe(4);
    expect(treeOf(stage.at('data/update'))).toEqual(before);
    expect(existsSync(stage.at('run/released'))).toBe(true);
    expect(stage.calls()).not.toContain(asked.start);
  });

  test('keeps nothing from running that cannot be dropped', async () => {
    stage.write('data/update/hold/not-a-file', '');
    stage.bootInto({ booted: 'rootfs.0' });
    const ended = await stage.postActivate();
    expect(ended.stderr).toContain('Cannot drop the hold, the next boot does: ');
    expect([stage.isHeld, stage.isReleased, stage.isUnitActive]).toEqual([true, true, true]);
    expect(ended.exitCode).toBe(0);
  });

  test('is never written by an ordinary boot', async () => {
    stage.bootInto({ booted: 'rootfs.0' });
    expect(stage.isUnitActive).toBe(true);
    await stage.postActivate();
    expect([stage.isHeld, stage.isReleased]).toEqual([false, false]);
    expect(stage.calls()).not.toContain(asked.start);
  });
});
