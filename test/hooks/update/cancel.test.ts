import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { existsSync } from 'node:fs';
import { takeUpdaterLock, writeTransaction } from '../../support/scene/by-hand.ts';
import { type StatusOptions, statusJson } from '../../support/scene/rauc-status.ts';
import { bootId, type Ended, Scene, treeOf } from '../../support/scene/scene.ts';
import { transactionAt } from '../../support/scene/transactions.ts';
import { honest, someBytes } from '../../support/servers/file-server.ts';
import { HostileServer } from '../../support/servers/hostile-server.ts';
import { until } from '../../support/until.ts';

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

function cancel(...args: string[]): Promise<Ended> {
  return scene.run(['update.sh', 'cancel', ...args]);
}

const status = 'rauc status --detailed --output-format=json';

describe('update.sh cancel', () => {
  test('finds nothing on a quiet device, whenever it is asked', async () => {
    for (const ended of [await cancel(), await cancel()]) {
      expect(ended.reason).toBe('There is nothing to cancel');
      expect(ended.exitCode).toBe(0);
    }
    expect(scene.calls()).toEqual([status, status]);
  });

  test('takes a scheduled reboot back with shutdown -c, and says so', async () => {
    scene.write('scheduled', '(st) "reboot" 1767323045000000\n');
    const ended = await cancel();
    expect(ended.reason).toBe('Cancelled the reboot that was scheduled for 2026-01-02T03:04:05.000Z');
    expect(scene.calls()).toEqual(['shutdown -c', status]);
    expect(ended.exitCode).toBe(0);
  });

  test('fails when the reboot cannot be cancelled, and leaves the update as it is', async () => {
    boot({ booted: 'rootfs.0', primary: 'rootfs.1' });
    writeTransaction(scene.places, transactionAt('installed', { bootId }));
    scene.write('scheduled', '(st) "reboot" 1767323045000000\n');
    scene.write('fail-shutdown--c', 'Failed to talk to logind\n');
    const ended = await cancel();
    expect(ended.reason).toContain(
      'Cannot cancel the reboot: "shutdown" ended with 1 (Failed to talk to logind)',
    );
    expect(scene.states()).toEqual(['preparing', 'installed']);
    expect(ended.exitCode).toBe(1);
  });

  test('cancels the update that waits for its reboot, and the reboot with it', async () => {
    boot({ booted: 'rootfs.0', primary: 'rootfs.1' });
    writeTransaction(scene.places, transactionAt('installed', { bootId }));
    scene.write('scheduled', '(st) "reboot" 1767323045000000\n');
    const ended = await cancel();
    expect(ended.reason).toBe('The installed update is cancelled; no reboot is needed');
    expect(scene.distinctCalls()).toEqual(['shutdown -c', status, 'rauc status mark-active booted']);
    expect(scene.states()).toEqual(['preparing', 'installed', 'rolled-back']);
    expect(ended.exitCode).toBe(0);
  });

  test('never switches slots: a committed update stays', async () => {
    boot({ booted: 'rootfs.1' });
    writeTransaction(scene.places, transactionAt('committed', { isClosed: true }));
    expect((await cancel()).reason).toBe('There is nothing to cancel');
    boot({ booted: 'rootfs.1' });
    writeTransaction(scene.places, transactionAt('trial'));
    expect((await cancel()).reason).toBe('There is nothing to cancel');
    expect(scene.calls()).toEqual([status, status]);
  });

  test('ends a fetch that is under way, and nothing was installed', async () => {
    const bytes = someBytes(1_000_000);
    let isHanging = false;
    const half = honest(
      () => ({ bytes, etag: '"one"' }),
      (line, part) => {
        line.write(part.head);
        if (part.bytes.length === 1) line.write(part.bytes);
        else {
          line.write(part.bytes.subarray(0, part.bytes.length / 2));
          isHanging = true;
        }
      },
    );
    await using server = await HostileServer.start(half);
    scene.write('root/etc/rauc/system.conf', '[system]\ncompatible=jetson-nano-homie\n');
    let cancelled: Ended | undefined;
    const fetched = await scene.run(['update.sh', server.url], {
      whileRunning: async () => {
        await until(() => isHanging);
        cancelled = await cancel();
      },
    });
    expect(fetched.reason).toBe('Cannot finish update.sh: it was stopped by SIGTERM');
    expect(cancelled?.stderr).toMatch(
      /^Ending update\.sh \(process \d+\)\nEnded update\.sh \(process \d+\)\n$/,
    );
    expect(cancelled?.exitCode).toBe(0);
    expect(scene.calls().filter((call) => /^(rauc in|shutdown)/.test(call))).toEqual([]);
    takeUpdaterLock(scene.places).release();
  });

  test('stops a running install; RAUC continues, reported with 21', async () => {
    const file = scene.write('update.raucb', 'a bundle');
    scene.write('root/etc/rauc/system.conf', '[system]\ncompatible=jetson-nano-homie\n');
    scene.write('rauc-info.json', '{"compatible":"jetson-nano-homie","version":"1.1.0"}');
    scene.write('hang-rauc-install', '');
    let cancelled: Ended | undefined;
    const installed = await scene.run(['update.sh', 'install', file], {
      whileRunning: async () => {
        await until(() => existsSync(scene.at('hanging')));
        cancelled = await cancel();
      },
    });
    expect(installed.reason).toBe('Cannot finish update.sh: it was stopped by SIGTERM');
    expect(installed.exitCode).toBe(143);
    expect(cancelled?.stderr).toMatch(
      /^Ending update\.sh \(process \d+\)\nEnded update\.sh \(process \d+\)\n/,
    );
    expect(cancelled?.reason).toBe(
      'Cannot cancel the install any more: RAUC is writing the slot and cannot be stopped. No reboot follows it; run update.sh cancel again when RAUC is done, and the version that runs is kept',
    );
    expect(cancelled?.exitCode).toBe(21);
  });

  test('ends with 9, and stops nothing, when no install holds the lock', async () => {
    const lock = takeUpdaterLock(scene.places);
    try {
      const ended = await cancel();
      expect(ended.reason).toBe(
        `Cannot cancel update.sh (process ${process.pid}): it is no install. Wait until it has ended`,
      );
      expect(ended.exitCode).toBe(9);
    } finally {
      lock.release();
    }
  });

  test('--dry-run says what it would do, and changes nothing', async () => {
    boot({ booted: 'rootfs.0', primary: 'rootfs.1' });
    writeTransaction(scene.places, transactionAt('installed', { bootId }));
    scene.write('scheduled', '(st) "reboot" 1767323045000000\n');
    const before = treeOf(scene.places.data);
    const ended = await cancel('--dry-run');
    expect(ended.stderr.split('\n')).toEqual([
      'Would cancel the reboot that is scheduled for 2026-01-02T03:04:05.000Z',
      'Would make slot "rootfs.0" the primary one',
      '',
    ]);
    expect(treeOf(scene.places.data)).toEqual(before);
    expect(scene.calls()).toEqual([status]);
    expect(ended.exitCode).toBe(0);
  });
});

describe('update.sh mark-good', () => {
  test('marks the slot that runs, under the lock', async () => {
    const ended = await scene.run(['update.sh', 'mark-good']);
    expect(scene.calls()).toEqual([status, 'rauc status mark-good booted']);
    expect(ended.exitCode).toBe(0);
    const lock = takeUpdaterLock(scene.places);
    try {
      expect((await scene.run(['update.sh', 'mark-good'])).exitCode).toBe(9);
    } finally {
      lock.release();
    }
    expect((await scene.run(['update.sh', 'mark-good', '--dry-run'])).exitCode).toBe(0);
    expect(scene.calls()).toEqual([status, 'rauc status mark-good booted', status]);
  });

  test('decides under the lock: a trial that has begun meanwhile is not marked', async () => {
    scene.write('root/usr/lib/homie/release', 'VERSION=1.1.0\n');
    scene.write('trial.json', JSON.stringify(transactionAt('trial')));
    // RAUC is asked before the lock is taken.
    scene.fake(
      'rauc',
      'mkdir -p data/update; cp trial.json data/update/transaction.json; cat rauc-status.json',
    );
    const ended = await scene.run(['update.sh', 'mark-good']);
    expect(ended.reason).toStartWith('Cannot mark the slot good: an update is on trial in it');
    expect(scene.calls()).toEqual([status]);
    expect(ended.exitCode).toBe(21);
  });

  test('refuses with 21 while an update is on trial: its verdict is about the data, too', async () => {
    scene.write('root/usr/lib/homie/release', 'VERSION=1.1.0\n');
    writeTransaction(scene.places, transactionAt('trial'));
    const ended = await scene.run(['update.sh', 'mark-good']);
    expect(ended.reason).toStartWith('Cannot mark the slot good: an update is on trial in it');
    expect(scene.calls()).toEqual([status]);
    expect(ended.exitCode).toBe(21);
  });
});
