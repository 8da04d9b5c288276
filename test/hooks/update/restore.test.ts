import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  chownSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename } from 'node:path';
import { zstdCompressSync } from 'node:zlib';
import { createArchive } from '../../../shared/data/archive/archive.ts';
import { lockFileOf } from '../../../shared/system/places.ts';
import type { State, Transaction } from '../../../shared/update/transaction/transaction.ts';
import { listTree, run } from '../../data/archive/archive-tree.ts';
import { isRoot } from '../../support/privileges.ts';
import { closeTransaction, takeUpdaterLock, writeTransaction } from '../../support/scene/by-hand.ts';
import { RecoveryStack, redisFile } from '../../support/scene/recovery-stack.ts';
import { type Ended, Scene, treeOf } from '../../support/scene/scene.ts';
import { transactionAt } from '../../support/scene/transactions.ts';

/** Whether an install runs. */
const raucStatus = 'rauc status --detailed --output-format=json';

let scene: Scene;
let config: string;
beforeEach(() => {
  scene = new Scene();
  scene.configure({ reserve_mib: 0 });
  config = scene.at('data/config');
});
afterEach(() => scene[Symbol.dispose]());

function restore(...args: string[]): Promise<Ended> {
  return scene.run(['update.sh', 'restore', ...args]);
}

/** A file in the folder of backups, with its checksum. */
function save(name: string, content: string | Uint8Array): string {
  const path = scene.write(`data/backups/${name}`, content, 0o600);
  const sha256 = createHash('sha256').update(content).digest('hex');
  scene.write(`data/backups/${name}.sha256`, `${sha256}  ${basename(name)}\n`);
  return path;
}

/** The config folder as it is now. */
async function saveConfig(name: string): Promise<string> {
  return (await createArchive({ folder: config, target: scene.at('data/backups', name) })).path;
}

/** What GNU tar makes of the words, which an attacker has written. */
async function saveTar(name: string, words: readonly string[]): Promise<string> {
  const tar = scene.at('made.tar');
  await run`tar --create --file=${tar} --absolute-names --directory=${scene.path} ${words}`;
  return save(name, zstdCompressSync(readFileSync(tar)));
}

function replacedFolders(): string[] {
  return readdirSync(scene.places.data).filter((name) => name.startsWith('config.re'));
}

describe('update.sh restore of a config', () => {
  const name = 'pre-update-1.0.0-1.1.0-20260102T030405Z.tar.zst';

  test.skipIf(!isRoot)(
    'brings back owners, attributes and hard links, and keeps what it replaces',
    async () => {
      scene.write('data/config/secret', 'hidden', 0o600);
      chownSync(scene.at('data/config/secret'), 4711, 815);
      linkSync(scene.at('data/config/secret'), scene.at('data/config/second-name'));
      symlinkSync('/etc/passwd', scene.at('data/config/link'));
      await run`setfattr --name=trusted.note --value=kept ${scene.at('data/config/secret')}`;
      await run`setfattr --name=user.note --value=kept ${scene.at('data/config/settings.json')}`;
      const before = await listTree(config);
      const archive = await saveConfig(name);
      scene.write('data/config/settings.json', 'spoilt');
      rmSync(scene.at('data/config/link'));
      scene.write('unit-active', '');
      const spoilt = await listTree(config);

      const ended = await restore(archive, '--yes');
      expect(ended.exitCode).toBe(0);
      expect(await listTree(config)).toEqual(before);
      const [kept = '', ...others] = replacedFolders();
      expect(others).toEqual([]);
      expect(kept).toMatch(/^config\.replaced-\d{8}T\d{6}Z$/);
      expect(await listTree(scene.at('data', kept))).toEqual(spoilt);
      expect(ended.stderr).toContain(`Restored "${config}"; what it replaced is "${scene.at('data', kept)}"`);
      expect(scene.calls().map((call) => call.replace(/-\d+/, '-PID'))).toEqual([
        raucStatus,
        'systemctl is-active homie-orchestrator',
        `systemd-run --quiet --collect --unit=homie-start-again-PID -- flock --close ${lockFileOf(scene.places)} systemctl start --no-block homie-orchestrator`,
        'systemctl stop homie-orchestrator',
        'systemctl start --no-block homie-orchestrator',
        'systemctl stop homie-start-again-PID.service',
      ]);
    },
  );

  test('takes a name in the folder of backups, and the newest where none is named', async () => {
    const archive = await saveConfig(name);
    save('pre-update-0.9.0-1.0.0-20250102T030405Z.tar.zst', 'older');
    expect((await restore(name, '--dry-run')).reason).toBe(`Would replace "${config}", from "${archive}"`);
    expect((await restore('--config-only', '--dry-run')).reason).toEndWith(`from "${archive}"`);
  });

  test('works where the config folder is gone, with nothing to keep, and starts nothing', async () => {
    const before = await listTree(config);
    const archive = await saveConfig(name);
    rmSync(config, { recursive: true });
    expect((await restore(archive, '--yes')).exitCode).toBe(0);
    expect(await listTree(config)).toEqual(before);
    expect(replacedFolders()).toEqual([]);
    expect(scene.isUnitActive).toBe(false);
  });

  test('continues when systemd does not answer, the config and the journal are damaged, and says so', async () => {
    const archive = await saveConfig(name);
    scene.write('data/config/orchestrator.yaml', 'update: [');
    scene.write('data/update/transaction.json', 'torn');
    scene.write('fail-systemctl-is-active', 'Running in chroot, ignoring\n');
    const ended = await restore(archive, '--yes');
    expect(ended.stderr).toContain('; continuing with the defaults');
    expect(ended.stderr).toContain('; continuing without it');
    expect(ended.stderr).toContain('; it is neither stopped nor started');
    expect(scene.read('data/config/orchestrator.yaml')).toStartWith('orchestrator:');
    expect(ended.exitCode).toBe(0);
  });

  test('takes no silence of systemctl for an answer, which is how it is in a chroot', async () => {
    const archive = await saveConfig(name);
    scene.fake('systemctl', 'echo "Running in chroot, ignoring command" >&2');
    const ended = await restore(archive, '--yes');
    expect(ended.stderr).toContain(
      'systemctl does nothing here, this is a chroot; it is neither stopped nor started',
    );
    expect(scene.calls()).toEqual([raucStatus, 'systemctl is-active homie-orchestrator']);
    expect(ended.exitCode).toBe(0);
  });

  test('goes on where nothing can be armed, and where nothing can be stopped or disarmed, and says so', async () => {
    const archive = await saveConfig(name);
    const unit = 'homie-orchestrator';
    for (const [broken, words] of [
      [
        'fail-systemd-run---quiet',
        [
          `Cannot set the timer that starts "${unit}" again: "systemd-run" ended with 1 (no luck); if this program is killed, start it by hand`,
        ],
      ],
      [
        'fail-systemctl-stop',
        [
          `Cannot stop "${unit}": "systemctl" ended with 1 (no luck); restart it by hand afterwards`,
          'Cannot cancel the unit that starts it again: "systemctl" ended with 1 (no luck)',
        ],
      ],
    ] as const) {
      scene.write('unit-active', '');
      scene.write(broken, 'no luck\n');
      const ended = await restore(archive, '--yes');
      for (const line of words) expect(ended.stderr).toContain(line);
      expect(ended.exitCode).toBe(0);
      expect(scene.isUnitActive).toBe(true);
      scene.remove(broken);
    }
  });

  test('replaces what a restore that was killed has left, and leaves nothing of its own', async () => {
    const archive = await saveConfig(name);
    scene.write('data/config.restore/config/half', '');
    expect((await restore(archive, '--yes')).exitCode).toBe(0);
    expect(existsSync(scene.at('data/config/half'))).toBe(false);
    expect(existsSync(scene.at('data/config.restore'))).toBe(false);
  });

  const bad: [when: string, make: () => Promise<string> | string, reason: RegExp][] = [
    [
      'one byte is wrong',
      async () => {
        const archive = await saveConfig(name);
        appendFileSync(archive, 'x');
        return archive;
      },
      /^Cannot trust the backup ".*": it does not have the checksum beside it/,
    ],
    [
      'it has no checksum',
      async () => {
        const archive = await saveConfig(name);
        rmSync(`${archive}.sha256`);
        return archive;
      },
      /: it has no checksum beside it/,
    ],
    ['it is no archive', () => save(name, 'text'), /^Cannot trust the backup /],
    [
      'it has an absolute name',
      () => saveTar(name, ['data/config', scene.write('outside', 'x')]),
      /: "\/.*outside" in it would lie outside of its folder/,
    ],
    [
      'it has a name that climbs',
      () => saveTar(name, ['--transform=s,^data/config/settings,config/../../settings,', 'data/config']),
      /: "config\/\.\.\/\.\.\/settings\.json" in it would lie outside/,
    ],
    [
      'it holds something else beside',
      () => {
        scene.write('stranger', 'x');
        return saveTar(name, ['--transform=s,^data/,,', 'data/config', 'stranger']);
      },
      /: it holds "stranger", and not just "config"/,
    ],
    [
      'it is the backup of another folder',
      () => saveTar(name, ['--transform=s,^data/config,other,', 'data/config']),
      /: it holds "other\/", and not just "config"/,
    ],
    [
      'a file in it would be written through a link that leads outside',
      async () => {
        mkdirSync(scene.at('made/config'), { recursive: true });
        mkdirSync(scene.at('target'));
        symlinkSync(scene.at('target'), scene.at('made/config/way'));
        scene.write('made/config/file', 'x');
        return await saveTar(name, [
          '--transform=s,config/file,config/way/file,',
          '-C',
          'made',
          'config/way',
          'config/file',
        ]);
      },
      /^Cannot restore from ".*": tar: config\/way\/file: /,
    ],
    [
      'a hard link in it leads outside',
      async () => {
        mkdirSync(scene.at('made/config'), { recursive: true });
        scene.write('victim', 'x');
        linkSync(scene.at('victim'), scene.at('made/config/one'));
        linkSync(scene.at('victim'), scene.at('made/config/two'));
        return await saveTar(name, [
          `--transform=s,config/one,${scene.at('victim')},hRS`,
          '-C',
          'made',
          'config/one',
          'config/two',
        ]);
      },
      /^Cannot restore from ".*": tar: config\/two: Cannot hard link to /,
    ],
  ];
  test.each(bad)('refuses it before anything is touched when %s', async (_when, make, reason) => {
    const archive = await make();
    scene.write('unit-active', '');
    const before = treeOf(scene.places.data);
    const ended = await restore(archive, '--yes');
    expect(ended.reason).toMatch(reason);
    const { 'logs/update.log': _log, logs: _logs, ...after } = treeOf(scene.places.data);
    expect(after).toEqual(before);
    expect(existsSync(scene.at('target/file'))).toBe(false);
    expect(scene.calls()).toEqual([raucStatus]);
    expect(ended.exitCode).toBe(1);
  });

  test('refuses the backup of another folder before it asks', async () => {
    const archive = await saveTar(name, ['--transform=s,^data/config,other,', 'data/config']);
    const ended = await restore(archive, '--dry-run');
    expect(ended.reason).toMatch(/: it holds "other\/", and not just "config"/);
    expect(ended.exitCode).toBe(1);
  });
});

describe('update.sh restore of data', () => {
  const stem = 'pre-migrate-1.0.0-1.1.0-20260102T030405Z';

  test('restores the dump, stops all others meanwhile, and puts the stack back', async () => {
    const stack = new RecoveryStack(scene);
    const dump = save(`${stem}.dump`, 'saved rows\n');
    const ended = await restore(dump, '--yes');
    expect(ended.stderr).toContain('Replacing the database of "postgres"');
    expect(scene.read('database')).toBe('saved rows\n');
    expect(stack.switched).toEqual([
      'docker-compose stop api redis',
      'docker-compose up --detach --no-deps api redis',
    ]);
    expect(stack.running).toEqual(['api', 'postgres', 'redis']);
    expect(ended.exitCode).toBe(0);
  });

  test('refuses by itself a dump from before the migration of what runs, and takes it where it is named', async () => {
    const stack = new RecoveryStack(scene);
    const dump = save(`${stem}.dump`, 'saved rows\n');
    scene.write('root/usr/lib/homie/release', 'VERSION=1.1.0\n');
    const refused = await restore('--database-only', '--yes');
    expect(refused.reason).toBe(
      `Cannot restore the database: the newest dump is of version "1.0.0", before it was migrated, and "1.1.0" runs. Go back to that version first (update.sh rollback), or name the dump: ${stem}.dump`,
    );
    expect([scene.read('database'), stack.switched, refused.exitCode]).toEqual(['rows\n', [], 21]);
    expect((await restore(dump, '--yes')).exitCode).toBe(0);
    scene.write('root/usr/lib/homie/release', 'VERSION=1.0.0\n');
    expect((await restore('--database-only', '--yes')).exitCode).toBe(0);
  });

  test('starts only the database, and stops it again, when the stack is down', async () => {
    const stack = new RecoveryStack(scene, []);
    expect((await restore(save(`${stem}.dump`, 'saved rows\n'), '--yes')).exitCode).toBe(0);
    expect(scene.read('database')).toBe('saved rows\n');
    expect(stack.switched).toEqual([
      'docker-compose up --detach --no-deps postgres',
      'docker-compose stop postgres',
    ]);
  });

  test('--database-only takes the newest dump, and what was saved of redis with it', async () => {
    const stack = new RecoveryStack(scene);
    save(`${stem.replace('2026', '2025')}.dump`, 'older\n');
    save(`${stem}.dump`, 'saved rows\n');
    save(`${stem}.rdb`, redisFile('saved'));
    const ended = await restore('--database-only', '--yes');
    expect(ended.exitCode).toBe(0);
    expect(scene.read('database')).toBe('saved rows\n');
    expect(readFileSync(scene.at('data/redis/dump.rdb'))).toEqual(Buffer.from(redisFile('saved')));
    expect(stack.running).toEqual(['api', 'postgres', 'redis']);
  });

  test('restores redis into the file that the update noted', async () => {
    const stack = new RecoveryStack(scene, []);
    const path = save(`${stem}.rdb`, redisFile('saved'));
    const redis = { path, sha256: '', file: 'other.rdb' };
    closeTransaction(scene.places, { ...transactionAt('fallen-back'), redis });
    writeTransaction(scene.places, { ...transactionAt('preparing'), id: 'newer' });
    expect((await restore(path, '--yes')).exitCode).toBe(0);
    expect(readFileSync(scene.at('data/redis/other.rdb'))).toEqual(Buffer.from(redisFile('saved')));
    expect(stack.switched).toEqual([]);
  });

  test('leaves the file of a redis alone that runs again, and would write over it', async () => {
    const stack = new RecoveryStack(scene);
    stack.startsAgain('redis');
    const path = save(`${stem}.rdb`, redisFile('saved'));
    const ended = await restore(path, '--yes');
    expect(ended.reason).toStartWith(
      `Cannot restore "redis" from "${path}": it runs, and would write over it`,
    );
    expect(stack.switched[0]).toBe('docker-compose stop api postgres redis');
    expect(readFileSync(scene.at('data/redis/dump.rdb'))).toEqual(Buffer.from(redisFile('live')));
    expect(readdirSync(scene.at('data/redis'))).toEqual(['dump.rdb']);
    expect(stack.running).toEqual(['api', 'postgres', 'redis']);
    expect(ended.exitCode).toBe(1);
  });

  test('restores the data of a rejected update, so that the next boot does not restore over it', async () => {
    new RecoveryStack(scene);
    const dump = save(`${stem}.dump`, 'saved rows\n');
    writeTransaction(scene.places, inDebt('fallen-back', dump));
    expect((await restore(dump, '--yes')).exitCode).toBe(0);
    expect(scene.transaction().restored).toMatchObject({ dropped: [] });
    expect(scene.transaction().isClosed).toBe(false);
  });

  test('lets a pending update dump anew when its migration is undone', async () => {
    new RecoveryStack(scene);
    const dump = save(`${stem}.dump`, 'saved rows\n');
    writeTransaction(scene.places, inDebt('installed', dump));
    expect((await restore(dump, '--yes')).exitCode).toBe(0);
    expect(scene.transaction().migration).toBeUndefined();
    expect(scene.transaction().dump).toBeUndefined();
  });

  test.each(['trial', 'migrated'] as const)('refuses with 21 when an update is "%s"', async (state) => {
    new RecoveryStack(scene);
    writeTransaction(scene.places, transactionAt(state));
    const ended = await restore(save(`${stem}.dump`, 'saved rows\n'), '--yes');
    expect(ended.reason).toStartWith('Cannot restore the data: the update to "1.1.0" is on trial');
    expect(scene.calls()).toEqual([raucStatus]);
    expect(ended.exitCode).toBe(21);
  });

  test('refuses a damaged dump before anything is stopped', async () => {
    new RecoveryStack(scene);
    const dump = save(`${stem}.dump`, 'saved rows\n');
    writeFileSync(dump, 'other rows\n');
    const ended = await restore(dump, '--yes');
    expect(ended.reason).toStartWith(`Cannot trust the backup "${dump}": it does not have the checksum`);
    expect(scene.calls()).toEqual([raucStatus]);
    expect(scene.read('database')).toBe('rows\n');
    expect(ended.exitCode).toBe(1);
  });

  test('puts the stack back when PostgreSQL refuses the dump', async () => {
    const stack = new RecoveryStack(scene);
    scene.write('unit-active', '');
    scene.write(
      'fail-pg_restore---exit-on-error',
      'pg_restore: error: could not execute query: ERROR:  no role\n',
    );
    const ended = await restore(save(`${stem}.dump`, 'saved rows\n'), '--yes');
    expect(ended.reason).toContain('no role');
    expect(scene.read('database')).toBe('rows\n');
    expect(stack.running).toEqual(['api', 'postgres', 'redis']);
    expect(scene.isUnitActive).toBe(true);
    expect(ended.exitCode).toBe(1);
  });

  test('fails, with nothing stopped, when this slot has no compose file', async () => {
    scene.write('unit-active', '');
    const ended = await restore(save(`${stem}.dump`, 'saved rows\n'), '--yes');
    expect(ended.reason).toStartWith('Cannot restore the data: this slot has no compose file');
    expect(scene.calls()).toEqual([raucStatus]);
    expect(ended.exitCode).toBe(1);
  });

  function inDebt(state: State, path: string): Transaction {
    const migration = { at: '2026-01-02T03:04:05.000Z' };
    return { ...transactionAt(state), dump: { path, sha256: '', rows: {} }, migration };
  }
});

describe('update.sh restore', () => {
  test('--list shows every backup, newest first, and whether it is whole', async () => {
    expect((await restore('--list')).stdout).toBe(`There is no backup in "${scene.at('data/backups')}".\n`);
    save('manual-1.0.0-20260103T000000Z.dump', 'x');
    save('pre-update-1.0.0-rc.1-1.1.0-20260102T000000Z.tar.zst', 'x');
    save('pre-migrate-unknown-1.1.0-rc.2-20260104T000000Z.rdb', 'x');
    writeFileSync(scene.at('data/backups/manual-1.0.0-20260103T000000Z.dump'), 'y');
    save('notes.dump', 'not ours');
    const ended = await restore('--list');
    expect(ended.stdout.split('\n').map((line) => line.split(/ {2,}/))).toEqual([
      [
        'redis',
        'unknown → 1.1.0-rc.2',
        '2026-01-04T00:00:00.000Z',
        '1 B',
        'whole',
        'pre-migrate-unknown-1.1.0-rc.2-20260104T000000Z.rdb',
      ],
      [
        'database',
        '1.0.0',
        '2026-01-03T00:00:00.000Z',
        '1 B',
        'DAMAGED: it does not have the checksum beside it',
        'manual-1.0.0-20260103T000000Z.dump',
      ],
      [
        'config',
        '1.0.0-rc.1 → 1.1.0',
        '2026-01-02T00:00:00.000Z',
        '1 B',
        'whole',
        'pre-update-1.0.0-rc.1-1.1.0-20260102T000000Z.tar.zst',
      ],
      [''],
    ]);
    const { backups } = JSON.parse((await restore('--list', '--json')).stdout);
    expect(backups).toHaveLength(3);
    expect(backups[1]).toEqual({
      path: scene.at('data/backups/manual-1.0.0-20260103T000000Z.dump'),
      kind: 'database',
      occasion: 'manual',
      from: '1.0.0',
      to: null,
      at: '2026-01-03T00:00:00.000Z',
      bytes: 1,
      isWhole: false,
      problem: 'it does not have the checksum beside it',
    });
    expect(scene.calls()).toEqual([]);
  });

  test('ends with 2, touching nothing, when there is no terminal and --yes is not given', async () => {
    const archive = await saveConfig('manual-1.0.0-20260102T030405Z.tar.zst');
    const before = treeOf(scene.places.data);
    const ended = await restore(archive);
    expect(ended.reason).toBe(
      'Cannot ask "Replace what is there now?": there is no terminal. Add --yes to confirm',
    );
    expect(treeOf(scene.places.data)).toEqual(before);
    expect(ended.exitCode).toBe(2);
  });

  test.each([
    ['y', 0],
    ['n', 1],
    ['', 1],
  ])('asks on a terminal, and takes "%s" for what it is', async (answer, exitCode) => {
    const archive = await saveConfig('manual-1.0.0-20260102T030405Z.tar.zst');
    scene.write('data/config/settings.json', 'spoilt');
    const stdin = new Blob([`${answer}\n`]);
    const ended = await scene.run(['update.sh', 'restore', archive], { isOnTerminal: true, stdin });
    expect(ended.stdout).toContain('Replace what is there now? [y/N] ');
    expect(ended.exitCode).toBe(exitCode);
    expect(scene.read('data/config/settings.json')).toBe(exitCode === 0 ? '{}\n' : 'spoilt');
  });

  const wrong: [args: string[], reason: RegExp][] = [
    [['nowhere.dump'], /^Cannot restore from "nowhere\.dump": no such file/],
    [['/etc/passwd'], /: its name ends neither in \.tar\.zst, \.dump nor \.rdb/],
    [['--config-only', '--database-only'], /exclude each other/],
    [['manual-1.0.0-20260102T030405Z.dump', '--config-only'], /: it is no backup of the config/],
    [[], /^Cannot restore: there is no such backup in /],
  ];
  test.each(wrong)('ends with 2 for %j', async (args, reason) => {
    if (args.includes('--config-only')) save('manual-1.0.0-20260102T030405Z.dump', 'x');
    const ended = await restore(...args, '--yes');
    expect(ended.reason).toMatch(reason);
    expect(ended.exitCode).toBe(2);
  });

  test('ends with 9 when an update runs', async () => {
    const lock = takeUpdaterLock(scene.places);
    try {
      const ended = await restore('--yes');
      expect(ended.exitCode).toBe(9);
      expect((await restore('--dry-run')).exitCode).toBe(9);
      expect((await restore('--list')).exitCode).toBe(0);
    } finally {
      lock.release();
    }
  });

  test('ends with 9 when RAUC installs for another program, and takes no lock from its hooks', async () => {
    scene.write('fail-rauc-status', 'already processing a different method\n');
    expect((await restore('--yes')).exitCode).toBe(9);
    expect(existsSync(lockFileOf(scene.places))).toBe(false);
  });

  test('--dry-run says what it would do and changes nothing', async () => {
    new RecoveryStack(scene);
    const archive = await saveConfig('manual-1.0.0-20260102T030405Z.tar.zst');
    const dump = save('manual-1.0.0-20260102T030405Z.dump', 'saved rows\n');
    const before = treeOf(scene.places.data);
    const ended = await restore('--dry-run');
    expect(ended.stderr.split('\n')).toEqual([
      `Would replace "${config}", from "${archive}"`,
      `Would replace the database of "postgres", and lose what was written since, from "${dump}"`,
      '',
    ]);
    expect(treeOf(scene.places.data)).toEqual(before);
    expect(existsSync(scene.at('run/update.lock'))).toBe(false);
    expect(ended.exitCode).toBe(0);
  });
});
