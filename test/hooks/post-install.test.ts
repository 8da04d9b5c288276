import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { readHistory } from '../../shared/update/transaction/transaction-store.ts';
import { nativeHook } from '../support/build/native-programs.ts';
import { mayMount } from '../support/privileges.ts';
import { takeUpdaterLock, writeTransaction } from '../support/scene/by-hand.ts';
import { type Ended, Scene, treeOf } from '../support/scene/scene.ts';
import { transactionAt } from '../support/scene/transactions.ts';

setDefaultTimeout(30_000);
let scene: Scene;
beforeEach(() => {
  scene = new Scene();
});
afterEach(() => scene[Symbol.dispose]());

function postInstall(...args: string[]): Promise<Ended> {
  return scene.run(['slot-post-install', ...args], { env: scene.slotHookEnv });
}

describe('post-install', () => {
  test('continues the transaction of pre-install, and adapts the slot', async () => {
    writeTransaction(scene.places, transactionAt('installing'));
    const ended = await postInstall();
    expect(ended.stderr.split('\n')).toEqual([
      'The new slot has no "/opt/homie_orchestrator/docker-compose.yml": no images to fetch',
      'Writing programs and units into slot "rootfs.1"',
      'Wrote programs and units into slot "rootfs.1"',
      'Version "1.1.0" is installed and will be tried at the next boot',
      '',
    ]);
    expect(scene.calls()).toEqual([]);
    expect(scene.transaction()).toMatchObject({ id: 'the-id', isClosed: false });
    expect(scene.states()).toEqual(['preparing', 'installing', 'installed']);
    expect(scene.transaction().steps.at(-1)?.bootId).toBe('this-boot');
    const main = scene.at('slot/usr/lib/homie/update-hooks/hook');
    expect(readFileSync(main).equals(readFileSync(nativeHook))).toBe(true);
    expect(scene.read('slot/usr/lib/homie/release')).toBe('VERSION=1.1.0\n');
    expect(scene.transaction().images).toBeUndefined();
    expect(ended.exitCode).toBe(0);
  });

  test('carries over the identity of the device; if that fails, it says so and continues', async () => {
    scene.write('root/etc/machine-id', `${'1f'.repeat(16)}\n`);
    scene.write('slot/etc/machine-id', '');
    const ended = await postInstall();
    expect(ended.stderr).toContain('Carried over the identity of the device: etc/machine-id\n');
    expect(scene.read('slot/etc/machine-id')).toBe(scene.read('root/etc/machine-id'));
    scene.remove('slot/etc/machine-id');
    mkdirSync(scene.at('slot/etc/machine-id'));
    const failed = await postInstall();
    expect(failed.stderr).toContain('Cannot carry over the identity of the device: ');
    expect([ended.exitCode, failed.exitCode]).toEqual([0, 0]);
  });

  test('holds the next boot, not this one, once the slot is whole and before it is called installed', async () => {
    writeTransaction(scene.places, transactionAt('installing'));
    const killed = await scene.run(['slot-post-install'], {
      env: scene.slotHookEnv,
      fault: 'kill@post-install:held',
    });
    expect([scene.isHeld, scene.isReleased]).toEqual([true, true]);
    expect(scene.states()).toEqual(['preparing', 'installing']);
    expect(scene.read('slot/usr/lib/homie/release')).toBe('VERSION=1.1.0\n');
    expect(killed.exitCode).toBe(137);

    expect((await postInstall()).exitCode).toBe(0);
    expect([scene.isHeld, scene.isReleased]).toEqual([true, true]);
    expect(scene.states()).toEqual(['preparing', 'installing', 'installed']);
  });

  test.each(['homie-orchestrator', 'homie-orchestrator.service', 'my-home'])(
    'gives the conditions of the hold to the unit that the config names: %s',
    async (unit) => {
      scene.configure({ unit });
      expect((await postInstall()).exitCode).toBe(0);
      const name = unit.replace(/\.service$/, '');
      const dropIn = scene.read(`slot/usr/lib/systemd/system/${name}.service.d/50-homie-hold.conf`);
      expect(dropIn).toContain('\nConditionPathExists=|!/data/update/hold\n');
      expect(dropIn).toContain('\nConditionPathExists=|/run/homie/released\n');
    },
  );

  test('leaves the same slot and one open transaction when it is run twice', async () => {
    writeTransaction(scene.places, transactionAt('installing'));
    await postInstall();
    const before = treeOf(scene.slot);
    const ended = await postInstall();
    expect(treeOf(scene.slot)).toEqual(before);
    expect(scene.states()).toEqual(['preparing', 'installing', 'installed', 'installed']);
    expect(readHistory(scene.places)).toEqual([]);
    expect(ended.exitCode).toBe(0);
  });

  test('opens a transaction of its own when pre-install did not run', async () => {
    scene.write('root/usr/lib/homie/release', 'VERSION=1.0.0\n');
    expect((await postInstall()).exitCode).toBe(0);
    expect(scene.transaction()).toMatchObject({
      from: { version: '1.0.0' },
      to: { version: '1.1.0', slot: 'rootfs.1' },
    });
    expect(scene.states()).toEqual(['preparing', 'installed']);
  });

  test('does not continue a transaction for another version or slot', async () => {
    for (const options of [{ version: '1.0.5' }, { slot: 'rootfs.0' }]) {
      writeTransaction(scene.places, transactionAt('installing', options));
      expect((await postInstall()).exitCode).toBe(0);
      expect(scene.transaction().id).not.toBe('the-id');
      expect(readHistory(scene.places).at(-1)?.steps.at(-1)).toMatchObject({
        state: 'failed',
        reason: 'it never got further than "installing"',
      });
    }
  });

  test('opens a new one when an update to the same version and slot was rejected', async () => {
    writeTransaction(scene.places, transactionAt('rolled-back'));
    expect((await postInstall()).exitCode).toBe(0);
    expect(scene.transaction().id).not.toBe('the-id');
    expect(scene.states()).toEqual(['preparing', 'installed']);
    expect(readHistory(scene.places).map(({ id }) => id)).toEqual(['the-id']);
  });

  test('is refused, and holds nothing, when the data of an update before is not restored yet', async () => {
    const owing = { ...transactionAt('rolled-back'), migration: { at: '2026-01-02T03:04:05.000Z' } };
    writeTransaction(scene.places, owing);
    const ended = await postInstall();
    expect(ended.reason).toContain('has not been restored yet. Reboot: the next boot restores it');
    expect(scene.transaction()).toEqual(owing);
    expect(scene.isHeld).toBe(false);
    expect(readdirSync(scene.slot)).toEqual([]);
    expect(ended.exitCode).toBe(21);
  });

  test.skipIf(!mayMount)('fails with 11 and closes the transaction when the slot is too small', async () => {
    writeTransaction(scene.places, transactionAt('installing'));
    Bun.spawnSync(['mount', '-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', scene.slot]);
    try {
      const ended = await postInstall();
      expect(ended.reason).toMatch(
        /^Cannot put the update programs into the new slot: they take .* MiB, 1\.0 MiB are free/,
      );
      expect(scene.states()).toEqual(['preparing', 'installing', 'failed']);
      expect(scene.transaction().isClosed).toBe(true);
      expect(readHistory(scene.places)).toHaveLength(1);
      expect(ended.exitCode).toBe(11);
    } finally {
      Bun.spawnSync(['umount', scene.slot]);
    }
  });

  test('fails with one line and closes the transaction when the slot cannot be written', async () => {
    writeTransaction(scene.places, transactionAt('installing'));
    scene.write('slot/usr', 'a file where a folder should be');
    const ended = await postInstall();
    expect(ended.reason).toStartWith(`Cannot write into the new slot at "${scene.slot}": `);
    expect(ended.stderr).not.toContain('bug');
    expect(scene.isHeld).toBe(false);
    expect(scene.states()).toEqual(['preparing', 'installing', 'failed']);
    expect(ended.exitCode).toBe(1);
  });

  test('names variable and option when the slot is not given, and ends with 2', async () => {
    const ended = await scene.run(['post-install', '--bundle', scene.bundle]);
    expect(ended.reason).toContain('RAUC_SLOT_MOUNT_POINT is not set. Outside RAUC give --slot-mount DIR');
    expect(existsSync(scene.at('data/update'))).toBe(false);
    expect(ended.exitCode).toBe(2);
  });

  test('can be called by hand, with options', async () => {
    mkdirSync(scene.at('mounted'));
    const args = ['--bundle', scene.bundle, '--slot-mount', scene.at('mounted')];
    const ended = await scene.run(['post-install', ...args]);
    expect(ended.exitCode).toBe(0);
    expect(scene.transaction().to).toEqual({ version: '1.1.0', slot: null });
    expect(readFileSync(scene.at('mounted/usr/lib/homie/release'), 'utf8')).toBe('VERSION=1.1.0\n');
    expect(readdirSync(scene.slot)).toEqual([]);
  });

  test('ends with 9, and leaves the slot alone, when another update holds the lock', async () => {
    const lock = takeUpdaterLock(scene.places);
    try {
      expect((await postInstall()).exitCode).toBe(9);
      expect(readdirSync(scene.slot)).toEqual([]);
    } finally {
      lock.release();
    }
  });

  test('--dry-run says what it would do and changes nothing', async () => {
    const before = treeOf(scene.path);
    const ended = await postInstall('--dry-run');
    expect(ended.stderr).toContain(
      `Would put the programs and units of version "1.1.0" into "${scene.slot}"`,
    );
    expect(treeOf(scene.path)).toEqual(before);
    expect(ended.exitCode).toBe(0);
  });
});
