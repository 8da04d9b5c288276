import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, utimesSync } from 'node:fs';
import { relative } from 'node:path';
import { manualFile } from '../../../shared/data/backups/backup.ts';
import { kindOfBackup } from '../../../shared/data/backups/saved-backups.ts';
import { checkSaved } from '../../../shared/system/files/checksum.ts';
import { lockFileOf } from '../../../shared/system/places.ts';
import { verify } from '../../data/archive/archive-tree.ts';
import { takeUpdaterLock } from '../../support/scene/by-hand.ts';
import { RecoveryStack } from '../../support/scene/recovery-stack.ts';
import { type Ended, Scene, treeOf } from '../../support/scene/scene.ts';

let scene: Scene;
beforeEach(() => {
  scene = new Scene();
  scene.configure({ reserve_mib: 0 });
  scene.write('root/usr/lib/homie/release', 'VERSION=1.0.0\n');
});
afterEach(() => scene[Symbol.dispose]());

function backUp(...args: string[]): Promise<Ended> {
  return scene.run(['update.sh', 'backup', ...args]);
}

function filesOf({ stdout }: Ended): string[] {
  return stdout.split('\n').filter((line) => line !== '');
}

describe('update.sh backup', () => {
  test('saves config, database and redis, prints the files, and stops the orchestrator for the config only', async () => {
    const stack = new RecoveryStack(scene);
    scene.write('unit-active', '');
    const ended = await backUp();
    expect(ended.stderr).toContain('Dumped the database of "postgres"');
    const files = filesOf(ended);
    expect(files.map(kindOfBackup)).toEqual(['redis', 'database', 'config']);
    for (const file of files) {
      expect(file).toMatch(/\/data\/backups\/manual-1\.0\.0-\d{8}T\d{6}Z\.(rdb|dump|tar\.zst)$/);
      expect(statSync(file).mode & 0o777).toBe(0o600);
      await checkSaved(file);
    }
    await verify(files[2] ?? '', 'config');
    expect(stack.switched).toEqual([
      'systemctl stop homie-orchestrator',
      'systemctl start --no-block homie-orchestrator',
      expect.stringMatching(/^systemctl stop homie-start-again-\d+\.timer$/),
    ]);
    const calls = scene.calls();
    expect(calls.indexOf('systemctl stop homie-orchestrator')).toBeGreaterThan(
      calls.findIndex((call) => call.startsWith('pg_dump')),
    );
    expect(ended.stderr).toMatch(/^Started "homie-orchestrator"\nSaved "\//m);
    expect(scene.isUnitActive).toBe(true);
    expect(ended.exitCode).toBe(0);
  });

  test('starts the database for the dump, and stops it again, when the stack is down', async () => {
    const stack = new RecoveryStack(scene, []);
    const ended = await backUp('--database-only');
    expect(filesOf(ended).map(kindOfBackup)).toEqual(['redis', 'database']);
    expect(stack.switched).toEqual([
      'docker-compose up --detach --no-deps postgres redis',
      'docker-compose stop postgres redis',
    ]);
    expect(ended.exitCode).toBe(0);
  });

  test('--config-only asks nothing of the stack', async () => {
    new RecoveryStack(scene);
    const ended = await backUp('--config-only');
    expect(filesOf(ended).map(kindOfBackup)).toEqual(['config']);
    expect(scene.calls()).toEqual([
      'rauc status --detailed --output-format=json',
      'systemctl is-active homie-orchestrator',
    ]);
    expect(ended.exitCode).toBe(0);
  });

  test('archives the folder as it is when systemd does not answer', async () => {
    scene.write('fail-systemctl-is-active', 'System has not been booted with systemd\n');
    const ended = await backUp('--config-only');
    expect(ended.stderr).toContain('; it is not stopped for the backup');
    await verify(filesOf(ended)[0] ?? '', 'config');
    expect(ended.exitCode).toBe(0);
  });

  test('starts the orchestrator again, prints nothing and leaves nothing when the backup fails', async () => {
    scene.write('unit-active', '');
    const before = readdirSync(scene.at('data/backups'));
    scene.configure({ backup_deadline_seconds: 1 });
    rmSync(scene.at('data/config/settings.json'));
    scene.write('data/config/sparse', '');
    const { exitCode } = Bun.spawnSync(['truncate', '--size=20G', scene.at('data/config/sparse')]);
    expect(exitCode).toBe(0);
    const ended = await backUp('--config-only');
    expect(ended.reason).toBe(
      `Cannot back up "${scene.at('data/config')}": it did not end within 1 s. Raise update.backup_deadline_seconds in orchestrator.yaml`,
    );
    expect(scene.isUnitActive).toBe(true);
    expect(ended.stdout).toBe('');
    expect(readdirSync(scene.at('data/backups'))).toEqual(before);
    expect(ended.exitCode).toBe(1);
  });

  test('replaces no backup that has the same time in its name', async () => {
    scene.configure({ keep_backups: 100 });
    const taken = Array.from({ length: 60 }, (_, second) =>
      manualFile(scene.at('data/backups'), '1.0.0', new Date(Date.now() + second * 1000), 'tar.zst'),
    );
    for (const file of taken) scene.write(relative(scene.path, file), 'the first');
    const [made = ''] = filesOf(await backUp('--config-only'));
    expect(taken).not.toContain(made);
    await checkSaved(made);
    expect(taken.map((file) => readFileSync(file, 'utf8'))).toEqual(taken.map(() => 'the first'));
  });

  test('keeps only the newest of each family, and those that the last update needs', async () => {
    scene.configure({ keep_backups: 1 });
    const old = scene.write('data/backups/manual-0.9.0-20200101T000000Z.tar.zst', 'old');
    const other = scene.write('data/backups/pre-update-0.9.0-1.0.0-20200101T000000Z.tar.zst', 'other');
    for (const file of [old, other]) utimesSync(file, 1, 1);
    const [made] = filesOf(await backUp('--config-only'));
    expect(existsSync(old)).toBe(false);
    expect([existsSync(other), existsSync(made ?? '')]).toEqual([true, true]);
  });

  test('fails when there is no database to dump and that alone was asked for', async () => {
    const ended = await backUp('--database-only');
    expect(ended.reason).toStartWith('Cannot back up the database: this slot has no compose file');
    expect(ended.exitCode).toBe(1);
    expect((await backUp()).exitCode).toBe(0);
  });

  test('ends with 9 when RAUC installs for another program, and takes no lock from its hooks', async () => {
    scene.write('fail-rauc-status', 'already processing a different method\n');
    expect((await backUp('--config-only')).exitCode).toBe(9);
    expect(existsSync(lockFileOf(scene.places))).toBe(false);
  });

  test('ends with 2 when both parts exclude each other, and with 9 when an update runs', async () => {
    const both = await backUp('--config-only', '--database-only');
    expect([both.exitCode, both.stderr.trim().split('\n').length]).toEqual([2, 1]);
    const lock = takeUpdaterLock(scene.places);
    try {
      expect((await backUp()).exitCode).toBe(9);
      expect((await backUp('--dry-run')).exitCode).toBe(9);
    } finally {
      lock.release();
    }
    expect(readdirSync(scene.at('data/backups'))).toEqual([]);
  });

  test('--dry-run says what it would do and changes nothing', async () => {
    new RecoveryStack(scene);
    const before = treeOf(scene.path);
    const ended = await backUp('--dry-run');
    expect(ended.stderr.split('\n')).toEqual([
      expect.stringMatching(/^Would back up ".*\/data\/config" to ".*\/manual-1\.0\.0-.*\.tar\.zst"$/),
      expect.stringMatching(/^Would dump the database to ".*\.dump", the stack running on$/),
      '',
    ]);
    expect(scene.calls()).toEqual(['rauc status --detailed --output-format=json']);
    scene.remove('calls');
    expect(treeOf(scene.path)).toEqual(before);
    expect(ended.exitCode).toBe(0);
  });
});
