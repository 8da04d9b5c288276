import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { existsSync, rmSync } from 'node:fs';
import { stateOf } from '../../../shared/update/transaction/transaction.ts';
import { readHistory } from '../../../shared/update/transaction/transaction-store.ts';
import { closeTransaction, takeUpdaterLock, writeTransaction } from '../../support/scene/by-hand.ts';
import { type StatusOptions, statusJson } from '../../support/scene/rauc-status.ts';
import { type Ended, Scene, treeOf } from '../../support/scene/scene.ts';
import { transactionAt } from '../../support/scene/transactions.ts';

let scene: Scene;
beforeEach(() => {
  scene = new Scene();
  scene.configure({ reserve_mib: 0 });
  boot({ booted: 'rootfs.0' });
});
afterEach(() => scene[Symbol.dispose]());

function boot(options: StatusOptions): void {
  scene.write('rauc-status.json', statusJson(options));
}

function update(...args: string[]): Promise<Ended> {
  return scene.run(['update.sh', ...args]);
}

const status = 'rauc status --detailed --output-format=json';

/** What RAUC was told to change: how often its state was read does not matter. */
function marks(): string[] {
  return scene.calls().filter((call) => call !== status);
}

describe('update.sh status', () => {
  test('shows slots and the last update as text', async () => {
    boot({ booted: 'rootfs.1', bad: ['rootfs.0'], versions: { 'rootfs.1': '9.9.9' } });
    scene.write('root/usr/lib/homie/release', 'VERSION=1.1.0\n');
    closeTransaction(scene.places, transactionAt('committed'));
    const ended = await update('status');
    expect(ended.stdout.split('\n')).toEqual([
      'rootfs.0  A  unknown version  bad',
      'rootfs.1  B  1.1.0            good  booted, primary',
      'Last update 1.0.0 → 1.1.0: committed at 2026-01-02T03:04:05.000Z.',
      '',
    ]);
    expect(ended.stderr).toBe('');
    expect(scene.calls()).toEqual([status]);
    expect(ended.exitCode).toBe(0);
  });

  test('shows a boot status that RAUC cannot read as unknown, in text and JSON', async () => {
    boot({ booted: 'rootfs.0', unknown: ['rootfs.1'] });
    expect((await update('status')).stdout).toContain('rootfs.1  B  unknown version  boot status unknown');
    expect(JSON.parse((await update('status', '--json')).stdout)).toMatchObject({
      slots: [
        { isGood: true, bootStatus: 'good' },
        { isGood: null, bootStatus: 'unknown' },
      ],
    });
  });

  test('says that the window is unknown when the config cannot be read, as why and doctor do', async () => {
    scene.write('data/config/orchestrator.yaml', 'orchestrator: [');
    const ended = await update('status', '--json');
    expect(JSON.parse(ended.stdout).window).toEqual({ kind: 'unknown', until: null, opens: null });
    const words = 'he config cannot be read, so it is unknown whether the update window is open';
    for (const command of ['status', 'why', 'doctor'])
      expect((await update(command)).stdout).toContain(words);
  });

  test('shows the same as JSON', async () => {
    scene.write('root/usr/lib/homie/release', 'VERSION=1.0.0\n');
    boot({ booted: 'rootfs.0', primary: 'rootfs.1', versions: { 'rootfs.1': '1.1.0' } });
    writeTransaction(scene.places, transactionAt('installed'));
    const ended = await update('status', '--json');
    expect(JSON.parse(ended.stdout)).toEqual({
      format: 1,
      compatible: 'jetson-nano-homie',
      version: '1.0.0',
      booted: 'rootfs.0',
      primary: 'rootfs.1',
      slots: [
        {
          name: 'rootfs.0',
          class: 'rootfs',
          device: '/dev/disk/by-partlabel/rootfs-a',
          bootname: 'A',
          isBooted: true,
          isGood: true,
          bootStatus: 'good',
          version: '1.0.0',
        },
        {
          name: 'rootfs.1',
          class: 'rootfs',
          device: '/dev/disk/by-partlabel/rootfs-b',
          bootname: 'B',
          isBooted: false,
          isGood: true,
          bootStatus: 'good',
          version: '1.1.0',
        },
      ],
      transaction: scene.transaction(),
      transactionProblem: null,
      progress: null,
      window: { kind: 'always', until: null, opens: null },
      inhibit: null,
      scheduled: null,
      anomalies: [],
      rauc: JSON.parse(scene.read('rauc-status.json')),
    });
    expect(ended.exitCode).toBe(0);
  });

  test('says that there was no update, or that the transaction cannot be read', async () => {
    expect((await update('status')).stdout).toEndWith('No update is recorded on this device yet.\n');
    scene.write('data/update/transaction.json', '');
    expect((await update('status')).stdout).toContain('Cannot read the transaction');
    expect(JSON.parse((await update('status', '--json')).stdout)).toMatchObject({
      transaction: null,
      transactionProblem: expect.stringContaining('Cannot read the transaction'),
    });
  });

  test('fails when RAUC does not answer', async () => {
    rmSync(scene.at('rauc-status.json'));
    const ended = await update('status');
    expect(ended.reason).toStartWith(
      'Cannot read the slots: RAUC does not answer. See "systemctl status rauc"',
    );
    expect(ended.stdout).toBe('');
    expect(ended.exitCode).toBe(1);
  });
});

describe('update.sh history', () => {
  test('lists every verdict, as text and as JSON', async () => {
    expect((await update('history')).stdout).toBe('No update is recorded on this device yet.\n');
    closeTransaction(scene.places, transactionAt('committed'));
    closeTransaction(scene.places, { ...transactionAt('failed', { version: '1.2.0' }), id: 'second' });
    const text = await update('history');
    expect(text.stdout).toBe(
      '2026-01-02T03:04:05.000Z  1.0.0 → 1.1.0  committed\n2026-01-02T03:04:05.000Z  1.0.0 → 1.2.0  failed\n',
    );
    const json = await update('history', '--json');
    expect(JSON.parse(json.stdout)).toEqual({ format: 1, updates: readHistory(scene.places) });
    expect([text.exitCode, json.exitCode]).toEqual([0, 0]);
  });
});

describe('update.sh rollback', () => {
  test('goes back from a committed update, notes it, and asks for the reboot with 4', async () => {
    boot({ booted: 'rootfs.1' });
    closeTransaction(scene.places, transactionAt('committed'));
    const ended = await update('rollback');
    expect(ended.reason).toBe('Reboot to go back: "systemctl reboot"');
    expect(marks()).toEqual(['rauc status mark-active other']);
    expect(readHistory(scene.places).map(stateOf)).toEqual(['committed', 'rolled-back']);
    expect(scene.transaction()).toMatchObject({ isClosed: true });
    expect(scene.transaction().steps.at(-1)?.reason).toBe('an operator asked for it');
    expect(ended.exitCode).toBe(4);
  });

  test('means the same when it is asked twice', async () => {
    boot({ booted: 'rootfs.1' });
    closeTransaction(scene.places, transactionAt('committed'));
    await update('rollback');
    boot({ booted: 'rootfs.1', primary: 'rootfs.0' });
    rmSync(scene.at('calls'));
    const ended = await update('rollback');
    expect(marks()).toEqual(['rauc status mark-active other']);
    expect(readHistory(scene.places)).toHaveLength(2);
    expect(ended.exitCode).toBe(4);
  });

  test('ends a trial', async () => {
    boot({ booted: 'rootfs.1' });
    writeTransaction(scene.places, transactionAt('trial'));
    expect((await update('rollback')).exitCode).toBe(4);
    expect(scene.states()).toEqual(['preparing', 'trial', 'rolled-back']);
    expect(readHistory(scene.places)).toHaveLength(1);
  });

  test('cancels an installed update without a reboot', async () => {
    boot({ booted: 'rootfs.0', primary: 'rootfs.1' });
    writeTransaction(scene.places, transactionAt('installed'));
    const ended = await update('rollback');
    expect(ended.reason).toBe('The installed update is cancelled; no reboot is needed');
    expect(marks()).toEqual(['rauc status mark-active booted']);
    expect(scene.states()).toEqual(['preparing', 'installed', 'rolled-back']);
    expect(scene.transaction().isClosed).toBe(true);
    expect(ended.exitCode).toBe(0);
  });

  test('leaves the transaction as it was when RAUC cannot do it', async () => {
    boot({ booted: 'rootfs.1' });
    closeTransaction(scene.places, transactionAt('committed'));
    scene.fake('rauc', `case "$2" in --detailed) cat rauc-status.json;; *) exit 1;; esac`);
    const before = treeOf(scene.at('data/update'));
    const ended = await update('rollback');
    expect(ended.reason).toBe('Cannot mark the other slot active: RAUC refused or did not answer');
    expect(treeOf(scene.at('data/update'))).toEqual(before);
    expect(ended.exitCode).toBe(1);
  });

  test('refuses with 21 when the other slot is bad', async () => {
    boot({ booted: 'rootfs.0', bad: ['rootfs.1'] });
    const ended = await update('rollback');
    expect(ended.reason).toStartWith('Cannot roll back: slot "rootfs.1" is marked bad');
    expect(scene.calls()).toEqual([status]);
    expect(ended.exitCode).toBe(21);
  });

  test('ends with 9 when another update runs', async () => {
    const lock = takeUpdaterLock(scene.places);
    try {
      expect((await update('rollback')).exitCode).toBe(9);
      expect(scene.calls()).toEqual([status]);
    } finally {
      lock.release();
    }
  });

  test('--dry-run says what it would do and changes nothing', async () => {
    boot({ booted: 'rootfs.1' });
    closeTransaction(scene.places, transactionAt('committed'));
    const before = treeOf(scene.places.data);
    const ended = await update('rollback', '--dry-run');
    expect(ended.reason).toBe('Would make slot "rootfs.0" the primary one, to be booted next');
    expect(treeOf(scene.places.data)).toEqual(before);
    expect(existsSync(scene.at('run/update.lock'))).toBe(false);
    expect(scene.calls()).toEqual([status]);
    expect(ended.exitCode).toBe(0);
  });
});
