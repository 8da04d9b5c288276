import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { holdNextBoot, holdNow } from '../../../shared/update/transaction/hold.ts';
import type { State, Transaction } from '../../../shared/update/transaction/transaction.ts';
import { closeTransaction, writeTransaction } from '../../support/scene/by-hand.ts';
import { type StatusOptions, statusJson } from '../../support/scene/rauc-status.ts';
import { RecoveryStack } from '../../support/scene/recovery-stack.ts';
import { type Ended, Scene, treeOf } from '../../support/scene/scene.ts';
import { transactionAt } from '../../support/scene/transactions.ts';
import { until } from '../../support/until.ts';

let scene: Scene;
beforeEach(() => {
  scene = new Scene();
  scene.configure({ reserve_mib: 0 });
});
afterEach(() => scene[Symbol.dispose]());

function boot(options: StatusOptions): void {
  scene.write('rauc-status.json', statusJson(options));
}

function rollBack(...args: string[]): Promise<Ended> {
  return scene.run(['update.sh', 'rollback', ...args]);
}

/** An update that has migrated the data, its dump beside it. */
function migrated(state: State): Transaction {
  const content = 'saved rows\n';
  const name = 'pre-migrate-1.0.0-1.1.0-20260102T030405Z.dump';
  const path = scene.write(`data/backups/${name}`, content, 0o600);
  const sha256 = createHash('sha256').update(content).digest('hex');
  scene.write(`data/backups/${name}.sha256`, `${sha256}  ${name}\n`);
  const migration = { at: '2026-01-02T03:04:05.000Z' };
  return { ...transactionAt(state), dump: { path, sha256, rows: {} }, migration };
}

describe('update.sh rollback of an update that has changed the data', () => {
  describe('before its reboot', () => {
    beforeEach(() => {
      boot({ booted: 'rootfs.0', primary: 'rootfs.1' });
      writeTransaction(scene.places, migrated('installed'));
      holdNow(scene.places);
    });

    test('restores first, then cancels it, drops the hold and starts the orchestrator', async () => {
      new RecoveryStack(scene);
      const ended = await rollBack();
      expect(ended.stderr).toContain('is restored now, what is written until then is lost');
      expect(scene.read('database')).toBe('saved rows\n');
      const calls = scene.calls();
      const restored = calls.findLastIndex((call) => call.startsWith('pg_restore'));
      expect(calls.indexOf('rauc status mark-active booted')).toBeGreaterThan(restored);
      expect(scene.transaction()).toMatchObject({ isClosed: true, restored: {} });
      expect(existsSync(scene.at('data/update/hold'))).toBe(false);
      expect(scene.isUnitActive).toBe(true);
      expect(ended.exitCode).toBe(0);
    });

    test('leaves it pending, as it was, when the restore fails', async () => {
      new RecoveryStack(scene);
      scene.write('fail-pg_restore---exit-on-error', 'pg_restore: error: ERROR:  no role\n');
      const before = scene.transaction();
      const ended = await rollBack();
      expect(ended.reason).toContain('no role');
      expect(scene.transaction()).toEqual(before);
      expect(scene.calls()).not.toContain('rauc status mark-active booted');
      expect(existsSync(scene.at('data/update/hold'))).toBe(true);
      expect(ended.exitCode).toBe(1);
    });

    test('keeps the verdict for the next boot when the data is back but RAUC cannot mark', async () => {
      new RecoveryStack(scene);
      scene.fake('rauc', 'case "$2" in --detailed) cat rauc-status.json ;; *) exit 1 ;; esac');
      expect((await rollBack()).exitCode).toBe(1);
      expect(scene.states().at(-1)).toBe('rolled-back');
      expect(scene.transaction()).toMatchObject({ isClosed: false, restored: {} });
    });
  });

  test('on trial leaves the restore to the next boot, which is held until then', async () => {
    boot({ booted: 'rootfs.1' });
    writeTransaction(scene.places, migrated('migrated'));
    const ended = await rollBack();
    expect(ended.stderr).toContain('is restored at the next boot, what is written until then is lost');
    expect(scene.states().at(-1)).toBe('rolled-back');
    expect(scene.transaction()).toMatchObject({ isClosed: false });
    expect(existsSync(scene.at('data/update/hold'))).toBe(true);
    expect(ended.exitCode).toBe(4);

    const steps = scene.states();
    boot({ booted: 'rootfs.1', primary: 'rootfs.0' });
    expect((await rollBack()).exitCode).toBe(4);
    expect(scene.states()).toEqual(steps);
  });

  test('asks before it leaves a committed one, whose data it does not restore', async () => {
    boot({ booted: 'rootfs.1' });
    closeTransaction(scene.places, migrated('committed'));
    const before = treeOf(scene.at('data/update'));
    const asked = await rollBack();
    expect(asked.stderr).toContain('Version "1.1.0" is committed: its data stays');
    expect(asked.reason).toStartWith('Cannot ask "Go back without the data?": there is no terminal');
    expect(treeOf(scene.at('data/update'))).toEqual(before);
    expect(asked.exitCode).toBe(2);
    expect((await rollBack('--dry-run')).exitCode).toBe(0);

    expect((await rollBack('--yes')).exitCode).toBe(4);
    expect(scene.states().at(-1)).toBe('rolled-back');
    expect(scene.transaction().isClosed).toBe(true);
    expect(scene.calls()).toContain('rauc status mark-active other');
  });

  test('decides anew where another update was installed while it asked', async () => {
    boot({ booted: 'rootfs.1' });
    closeTransaction(scene.places, migrated('committed'));
    const keyboard = Promise.withResolvers<void>();
    const typed = async function* (): AsyncGenerator<Uint8Array> {
      await keyboard.promise;
      yield Buffer.from('y\n');
    };
    const ended = scene.run(['update.sh', 'rollback'], {
      isOnTerminal: true,
      stdin: new Response(typed()),
      whileRunning: async () => {
        await until(() => scene.calls().length > 0);
        const next = { ...transactionAt('installed'), id: 'the next one' };
        const to = { version: '1.2.0', slot: 'rootfs.0' };
        writeTransaction(scene.places, { ...next, to });
        boot({ booted: 'rootfs.1', primary: 'rootfs.0' });
        keyboard.resolve();
      },
    });
    expect((await ended).stdout).toContain('The update or the slots have changed meanwhile');
    expect(scene.calls()).not.toContain('rauc status mark-active other');
    expect(scene.transaction()).toMatchObject({ id: 'the next one', isClosed: true });
    expect((await ended).exitCode).toBe(0);
  });
});

test('update.sh rollback drops the hold when it cancels an update, and starts nothing that was not held', async () => {
  boot({ booted: 'rootfs.0', primary: 'rootfs.1' });
  writeTransaction(scene.places, transactionAt('installed'));
  holdNextBoot(scene.places);
  expect((await rollBack()).exitCode).toBe(0);
  expect(existsSync(scene.at('data/update/hold'))).toBe(false);
  expect(scene.isUnitActive).toBe(false);
});
