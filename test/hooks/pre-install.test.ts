import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, rmSync, truncateSync } from 'node:fs';
import { readHistory } from '../../shared/update/transaction/transaction-store.ts';
import { mayMount } from '../support/privileges.ts';
import { takeUpdaterLock, writeTransaction } from '../support/scene/by-hand.ts';
import { type Ended, Scene, type StartOptions, treeOf } from '../support/scene/scene.ts';
import { transactionAt } from '../support/scene/transactions.ts';
import { HealthServer, sick } from '../support/servers/health-server.ts';
import { until } from '../support/until.ts';

setDefaultTimeout(30_000);
let scene: Scene;
let health: HealthServer;
beforeEach(() => {
  scene = new Scene();
  scene.write('unit-active', '');
  health = new HealthServer();
  scene.usual['health_url'] = health.url;
  scene.configure();
});
afterEach(async () => {
  scene[Symbol.dispose]();
  await health[Symbol.asyncDispose]();
});

function preInstall(options: StartOptions = {}, ...args: string[]): Promise<Ended> {
  return scene.run(['slot-pre-install', ...args], {
    ...options,
    env: { ...scene.slotHookEnv, ...options.env },
  });
}

/** The fakes' calls, with the timer's process id left out. */
function calls(): string[] {
  return scene.calls().map((call) => call.replace(/homie-start-again-\d+/, 'TIMER'));
}

/** Seconds between the deadline of the backup and the timer of systemd. */
const margin = 15;
const unit = 'homie-orchestrator';
const isActive = `systemctl is-active ${unit}`;
/** How healthy it is, before anything is touched; then whether there is something to stop. */
const asked = [isActive, isActive];
const arm = (seconds: number) =>
  `systemd-run --quiet --collect --unit=TIMER --on-active=${seconds} -- systemctl start --no-block ${unit}`;
const stop = `systemctl stop ${unit}`;
const start = `systemctl start --no-block ${unit}`;
const disarm = 'systemctl stop TIMER.timer';

/** The unit runs again, the transaction is closed as failed, no lock and no half archive is left. */
function expectPutRight(reason: string | RegExp): void {
  expect(scene.isUnitActive).toBe(true);
  expect(scene.states()).toEqual(['preparing', 'failed']);
  expect(scene.transaction().steps.at(-1)?.reason).toMatch(reason);
  expect(readHistory(scene.places)).toHaveLength(1);
  expect(readdirSync(scene.at('data/backups'))).toEqual([]);
  takeUpdaterLock(scene.places).release();
}

/** A sparse file that takes long to pack, and uses no bytes on the disk. */
function makeLargeConfig(): void {
  scene.write('data/config/large', '');
  truncateSync(scene.at('data/config/large'), 200 * 1024 ** 3);
}

describe('pre-install', () => {
  test('stops, backs up, starts again, with the timer armed meanwhile', async () => {
    scene.write('root/usr/lib/homie/release', 'VERSION=1.0.0\n');
    const ended = await preInstall();
    const [archive] = readdirSync(scene.at('data/backups')).filter((name) => name.endsWith('.zst'));
    expect(archive).toMatch(/^pre-update-1\.0\.0-1\.1\.0-\d{8}T\d{6}Z\.tar\.zst$/);
    expect(ended.stderr.replace(/\(.*entries\)/, '(…)').split('\n')).toEqual([
      'Preparing the update from "1.0.0" to "1.1.0"',
      `Stopping "${unit}"`,
      `Stopped "${unit}"`,
      `Backing up "${scene.at('data/config')}"`,
      `Backed up "${scene.at('data/config')}"`,
      `Starting "${unit}"`,
      `Started "${unit}"`,
      `The backup is "${scene.at(`data/backups/${archive}`)}" (…)`,
      '',
    ]);
    expect(calls()).toEqual([...asked, arm(900 + margin), stop, start, disarm]);
    expect(scene.transaction()).toMatchObject({
      from: { version: '1.0.0' },
      to: { version: '1.1.0', slot: 'rootfs.1' },
      backup: { path: scene.at(`data/backups/${archive}`) },
      baseline: {},
      isClosed: false,
    });
    expect(scene.states()).toEqual(['preparing', 'installing']);
    expect(scene.read('data/logs/update.log')).toContain(`pre-install: Stopped "${unit}"`);
    const listed = Bun.spawnSync(['tar', '--zstd', '-tf', scene.at(`data/backups/${archive}`)]);
    expect(listed.stdout.toString().split('\n')).toContain('config/settings.json');
    expect(ended.exitCode).toBe(0);
  });

  test('drops what install-check noted, once it is known itself', async () => {
    scene.write('data/update/admitted.json', '{}');
    expect((await preInstall()).exitCode).toBe(0);
    expect(existsSync(scene.at('data/update/admitted.json'))).toBe(false);
  });

  test('fails before anything is stopped or written when it cannot drop that', async () => {
    scene.write('data/update/admitted.json/in-the-way', '');
    const ended = await preInstall();
    expect(ended.reason).toStartWith(`Cannot remove "${scene.at('data/update/admitted.json')}": `);
    expect(calls()).toEqual([]);
    expect(scene.states()).toEqual(['preparing', 'failed']);
    expect(ended.exitCode).toBe(1);
  });

  test('neither stops nor starts a unit that does not run', async () => {
    rmSync(scene.at('unit-active'));
    const ended = await preInstall();
    expect(ended.stderr).toContain(`"${unit}" does not run, nothing to stop`);
    // What does not run is broken before the update: it is looked at three times.
    expect(calls()).toEqual([isActive, isActive, isActive, isActive]);
    expect(scene.transaction().baseline).toEqual({
      unit: { isHealthy: false, reason: `"${unit}" is not active (inactive)` },
    });
    expect(scene.isUnitActive).toBe(false);
    expect(ended.exitCode).toBe(0);
  });

  test('continues without a backup when there is nothing to back up', async () => {
    const config = scene.read('data/config/orchestrator.yaml');
    const storage = `  storage:\n    config_path: ${scene.at('data/nothing')}\n`;
    scene.write('data/config/orchestrator.yaml', config.replace('  storage:\n', storage));
    const ended = await preInstall();
    expect(ended.stderr).toContain(`Nothing to back up: there is no "${scene.at('data/nothing')}"`);
    expect(calls()).toEqual([isActive]);
    expect(scene.states()).toEqual(['preparing', 'installing']);
    expect(ended.exitCode).toBe(0);
  });

  test('notes the failed checks before it stops anything, and continues', async () => {
    health.answer = sick;
    scene.fake(
      'systemctl',
      'case "$1" in is-active) [ -s data/update/transaction.json ] && echo active;; stop) cp data/update/transaction.json seen;; esac',
    );
    const ended = await preInstall();
    const baseline = { http: { isHealthy: false, reason: 'it answers 500 (no database)' } };
    expect(JSON.parse(scene.read('seen'))).toMatchObject({ baseline });
    expect(scene.transaction().baseline).toEqual(baseline);
    expect(calls()).toEqual([isActive, isActive, isActive, isActive, arm(900 + margin), stop, start, disarm]);
    expect(scene.states()).toEqual(['preparing', 'installing']);
    expect(ended.exitCode).toBe(0);
  });

  test('calls nothing broken that is so just once', async () => {
    let count = 0;
    health.answer = () => {
      count += 1;
      return count === 2 ? new Response('ok') : sick();
    };
    expect((await preInstall()).exitCode).toBe(0);
    expect(count).toBe(3);
    expect(scene.transaction().baseline).toEqual({});
  });

  test('is refused, and forgets nothing, when the data of an update before is not restored yet', async () => {
    const owing = { ...transactionAt('rolled-back'), migration: { at: '2026-01-02T03:04:05.000Z' } };
    writeTransaction(scene.places, owing);
    const ended = await preInstall();
    expect(ended.reason).toBe(
      'Cannot begin the update to "1.1.0": the data that the update to "1.1.0" changed has not been restored yet. Reboot: the next boot restores it',
    );
    expect(scene.transaction()).toEqual(owing);
    expect(readHistory(scene.places)).toEqual([]);
    expect(calls()).toEqual([]);
    expect(ended.exitCode).toBe(21);
  });

  test('makes the backup folder when a new data partition has none', async () => {
    rmSync(scene.at('data/backups'), { recursive: true });
    expect((await preInstall()).exitCode).toBe(0);
    expect(readdirSync(scene.at('data/backups'))).toHaveLength(2);
  });

  test('does the same when it is run again, and closes the first as failed', async () => {
    await preInstall();
    const ended = await preInstall();
    expect(ended.stderr).toContain('it never got further than "installing"');
    expect(scene.states()).toEqual(['preparing', 'installing']);
    expect(readHistory(scene.places)).toHaveLength(1);
    expect(scene.isUnitActive).toBe(true);
    expect(ended.exitCode).toBe(0);
  });

  test('sets a damaged transaction aside and continues', async () => {
    scene.write('data/update/transaction.json', '');
    expect((await preInstall()).exitCode).toBe(0);
    expect(readdirSync(scene.at('data/update')).filter((name) => name.includes('damaged'))).toHaveLength(1);
  });

  test('warns, and is done, when the timer cannot be disarmed any more', async () => {
    scene.fake(
      'systemctl',
      'case "$1 $2" in is-active*) echo active;; "stop homie-start"*) echo "Unit not loaded." >&2; exit 5;; esac',
    );
    const ended = await preInstall();
    expect(ended.stderr).toContain('Cannot cancel the timer: "systemctl" ended with 5 (Unit not loaded.)');
    expect(ended.exitCode).toBe(0);
  });

  test('does not stop the unit when the timer cannot be armed', async () => {
    scene.fake('systemd-run', 'echo "no transient units" >&2; exit 1');
    const ended = await preInstall();
    expect(ended.reason).toStartWith(`Cannot set the timer that starts "${unit}" again: `);
    expect(calls()).toEqual([...asked, arm(900 + margin)]);
    expectPutRight(/Cannot set the timer that starts/);
    expect(ended.exitCode).toBe(1);
  });

  test('starts the unit again when a stop fails', async () => {
    scene.write('fail-systemctl-stop', 'Job canceled.\n');
    const ended = await preInstall();
    expect(ended.reason).toBe(`Cannot stop "${unit}": "systemctl" ended with 1 (Job canceled.)`);
    expect(calls()).toEqual([...asked, arm(900 + margin), stop, start, disarm]);
    expectPutRight(/Cannot stop/);
    expect(ended.exitCode).toBe(1);
  });

  test('starts the unit again when a stop hangs, within the deadline of the backup', async () => {
    scene.configure({ backup_deadline_seconds: 1 });
    scene.write('hang-systemctl-stop', '');
    const ended = await preInstall({
      whileRunning: async () => {
        await until(() => existsSync(scene.at('hanging')));
        rmSync(scene.at('hang-systemctl-stop'));
      },
    });
    expect(ended.reason).toMatch(/^Cannot stop "homie-orchestrator": "systemctl" did not end within \S+ s$/);
    expect(calls()).toEqual([...asked, arm(1 + margin), stop, start, disarm]);
    expectPutRight(/Cannot stop/);
    expect(ended.exitCode).toBe(1);
  });

  test('starts the unit again when the backup takes longer than it may', async () => {
    scene.configure({ backup_deadline_seconds: 1 });
    makeLargeConfig();
    const ended = await preInstall();
    expect(ended.reason).toBe(
      `Cannot back up "${scene.at('data/config')}": it did not end within 1 s. Raise update.backup_deadline_seconds in orchestrator.yaml`,
    );
    expect(calls()).toEqual([...asked, arm(1 + margin), stop, start, disarm]);
    expectPutRight(/did not end within 1 s/);
    expect(ended.exitCode).toBe(1);
  });

  test('does not even stop the unit when the backup has no place', async () => {
    scene.write('not-a-folder', '');
    scene.configure({ reserve_mib: 0 }, scene.at('not-a-folder/backups'));
    const ended = await preInstall();
    expect(ended.reason).toBe(
      `Cannot make the backup folder "${scene.at('not-a-folder/backups')}": a part of the path is not a folder`,
    );
    expect(calls()).toEqual([isActive]);
    expectPutRight(/Cannot make the backup folder/);
    expect(ended.exitCode).toBe(1);
  });

  test.skipIf(!mayMount)('starts the unit again when the disk is full', async () => {
    const folder = scene.at('data/full');
    mkdirSync(folder);
    Bun.spawnSync(['mount', '-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder]);
    try {
      scene.write('data/config/photos', randomBytes(1024 * 1024).toString('base64'));
      scene.configure({ reserve_mib: 0 }, folder);
      const ended = await preInstall();
      expect(ended.reason).toMatch(
        /^Cannot write the backup ".*": no space left on the device after .*\. Free/,
      );
      expect(calls()).toEqual([...asked, arm(900 + margin), stop, start, disarm]);
      expect(readdirSync(folder)).toEqual([]);
      expectPutRight(/no space left/);
      expect(ended.exitCode).toBe(11);
    } finally {
      Bun.spawnSync(['umount', folder]);
    }
  });

  test.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)(
    'starts the unit again when %s stops it during the backup',
    async (signal) => {
      makeLargeConfig();
      const hasPart = (): boolean =>
        readdirSync(scene.at('data/backups')).some((name) => name.endsWith('.part'));
      const ended = await preInstall({
        whileRunning: async (process) => {
          await until(hasPart);
          process.kill(signal);
        },
      });
      expect(ended.reason).toBe(`Cannot finish pre-install: it was stopped by ${signal}`);
      expect(calls()).toEqual([...asked, arm(900 + margin), stop, start, disarm]);
      expectPutRight(/it was stopped/);
      expect(ended.exitCode).toBe({ SIGTERM: 143, SIGINT: 130, SIGHUP: 129 }[signal]);
    },
  );

  test('starts the unit again when it is stopped while systemctl stop hangs', async () => {
    scene.write('hang-systemctl-stop', '');
    const ended = await preInstall({
      whileRunning: async (process) => {
        await until(() => existsSync(scene.at('hanging')));
        rmSync(scene.at('hang-systemctl-stop'));
        process.kill('SIGTERM');
      },
    });
    expect(ended.reason).toBe('Cannot finish pre-install: it was stopped by SIGTERM');
    expect(calls()).toEqual([...asked, arm(900 + margin), stop, start, disarm]);
    expectPutRight(/it was stopped/);
    expect(ended.exitCode).toBe(143);
  });

  test('says what to run by hand, and leaves the timer armed, when the unit cannot be started', async () => {
    scene.write('fail-systemctl-start', 'no luck\n');
    const ended = await preInstall();
    expect(ended.reason).toBe(
      `Cannot start "${unit}": "systemctl" ended with 1 (no luck). Run "systemctl start ${unit}"`,
    );
    expect(calls()).not.toContain(disarm);
    expect(scene.states()).toEqual(['preparing', 'failed']);
    expect(ended.exitCode).toBe(1);
  });

  test('is known to have failed, so that the fallback can be put back, when the config is wrong', async () => {
    scene.write('data/config/orchestrator.yaml', 'update:\n  unit: a b\n');
    const ended = await preInstall();
    expect(ended.reason).toContain('line 2, key update.unit: expected the name of a systemd unit');
    expect(calls()).toEqual([]);
    expect(scene.transaction()).toMatchObject({ to: { version: '1.1.0', slot: 'rootfs.1' }, isClosed: true });
    expectPutRight(/key update.unit: expected/);
    expect(ended.exitCode).toBe(2);
  });

  test('ends with 9, and touches nothing, when another update holds the lock', async () => {
    const lock = takeUpdaterLock(scene.places);
    try {
      const ended = await preInstall();
      expect(ended.reason).toBe(
        `Cannot take the lock: another update is running (update.sh, process ${process.pid}). Wait until it has ended`,
      );
      expect(scene.calls()).toEqual([]);
      expect(existsSync(scene.at('data/update'))).toBe(false);
      expect(ended.exitCode).toBe(9);
    } finally {
      lock.release();
    }
  });

  test('continues under the lock of our updater when that installs this version', async () => {
    const lock = takeUpdaterLock(scene.places);
    try {
      lock.note('1.1.0');
      expect((await preInstall()).exitCode).toBe(0);
      expect(() => takeUpdaterLock(scene.places)).toThrow(/another update is running/);
    } finally {
      lock.release();
    }
  });

  test('--dry-run says it all and changes nothing', async () => {
    writeTransaction(scene.places, transactionAt('installing'));
    const before = treeOf(scene.path);
    const ended = await preInstall({}, '--dry-run');
    expect(ended.stderr.replace(/-\d{8}T\d{6}Z/, '-TIME').split('\n')).toEqual([
      `Would stop "${unit}" if it runs`,
      `Would back up "${scene.at('data/config')}" to "${scene.at('data/backups/pre-update-unknown-1.1.0-TIME.tar.zst')}"`,
      `Would start "${unit}" again`,
      '',
    ]);
    expect(treeOf(scene.path)).toEqual(before);
    expect(ended.exitCode).toBe(0);
  });
});
