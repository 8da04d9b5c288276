import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { mkdirSync } from 'node:fs';
import { takeUpdaterLock, writeTransaction } from '../support/scene/by-hand.ts';
import { bootId, type Ended, Scene, treeOf } from '../support/scene/scene.ts';
import { transactionAt } from '../support/scene/transactions.ts';

const noteFile = 'data/update/admitted.json';

let scene: Scene;
beforeEach(() => {
  scene = new Scene();
  scene.configure({ reserve_mib: 0 });
});
afterEach(() => scene[Symbol.dispose]());

/** As RAUC calls it: all that install-check is told. */
function byRauc(): Promise<Ended> {
  return scene.run(['install-check'], {
    env: {
      RAUC_SYSTEM_COMPATIBLE: 'jetson-nano-homie',
      RAUC_MF_COMPATIBLE: 'jetson-nano-homie',
      RAUC_MOUNT_PREFIX: scene.path,
    },
  });
}

function byHand(...args: string[]): Promise<Ended> {
  return scene.run(['install-check', '--bundle', scene.bundle, ...args]);
}

/** It changes nothing, with any answer. */
async function untouched(work: () => Promise<Ended>): Promise<Ended> {
  const before = treeOf(scene.path);
  const ended = await work();
  expect(treeOf(scene.path)).toEqual(before);
  return ended;
}

describe('install-check', () => {
  test('admits, and notes that for RAUC only', async () => {
    mkdirSync(scene.at('data/update'));
    const words = { stderr: 'Version "1.1.0" may be installed\n', stdout: '', exitCode: 0 };
    expect(await untouched(() => byHand())).toMatchObject(words);
    expect(await untouched(() => byHand('--dry-run'))).toMatchObject(words);
    const before = treeOf(scene.path);
    expect(await byRauc()).toMatchObject(words);
    const after = treeOf(scene.path);
    expect(Object.keys(after).filter((path) => after[path] !== before[path])).toEqual([noteFile]);
    expect(JSON.parse(scene.read(noteFile))).toEqual({
      format: 1,
      version: '1.1.0',
      after: null,
      bootId,
      at: expect.stringMatching(/^\d{4}-/),
    });
    expect(scene.calls()).toEqual([]);
  });

  test('notes which update was the newest then', async () => {
    writeTransaction(scene.places, transactionAt('failed', { isClosed: true }));
    expect((await byRauc()).exitCode).toBe(0);
    expect(JSON.parse(scene.read(noteFile))).toMatchObject({ after: transactionAt('failed').id });
  });

  test('refuses what it cannot note: pre-install could not either, and the fallback would be gone by then', async () => {
    scene.write(`${noteFile}/in-the-way`, '');
    const ended = await untouched(byRauc);
    expect(ended.reason).toStartWith(
      `Cannot install version "1.1.0": "${scene.at(noteFile)}" cannot be written, `,
    );
    expect(ended.exitCode).toBe(21);
  });

  const refusals: [when: string, () => void, exitCode: number, reason: string][] = [
    [
      'it is for another board',
      () => scene.writeBundle({ compatible: 'other' }),
      10,
      'it is for "other", this system is "jetson-nano-homie". Get the bundle for this board',
    ],
    [
      'its programs are for another machine',
      () => scene.write('bundle/update-hooks/bundle.json', '{"architecture":"riscv"}'),
      10,
      'its programs are for riscv, this machine is ',
    ],
    [
      'it is older than what runs',
      () => scene.write('root/usr/lib/homie/release', 'VERSION=1.2.0\n'),
      10,
      'version 1.1.0 is older than 1.2.0, which runs. Set update.allow_downgrade: true',
    ],
    [
      'a newer one was committed',
      () => {
        const committed = transactionAt('committed', { version: '1.2.0', isClosed: true });
        scene.write('data/update/history.jsonl', `${JSON.stringify(committed)}\n`);
      },
      10,
      'version 1.1.0 is older than 1.2.0, which was committed before',
    ],
    [
      'it is older than the minimum version',
      () => scene.configure({ version_floor: '1.1.1' }),
      10,
      'version 1.1.0 is older than the minimum version 1.1.1',
    ],
    [
      'a slot has no device',
      () => scene.write('root/etc/rauc/system.conf', '[slot.rootfs.1]\ndevice=/dev/gone\n'),
      10,
      'slot "rootfs.1" has no device: "/dev/gone" is not there',
    ],
    [
      'its image is larger than a slot',
      () => {
        scene.write('small-slot', '');
        scene.write('root/etc/rauc/system.conf', `[slot.rootfs.1]\ndevice=${scene.at('small-slot')}\n`);
      },
      11,
      'its image of 5 B does not fit into slot "rootfs.1" of 0 B',
    ],
    [
      'the backup does not fit',
      () => scene.configure({ reserve_mib: 1_000_000_000 }),
      11,
      'the backup needs ',
    ],
    [
      'the user says no',
      () => scene.write('data/update/inhibit', 'guests are here\nuntil Monday\n'),
      14,
      'updates are inhibited: guests are here. Remove the file',
    ],
    [
      'an update is on trial',
      () => {
        scene.write('root/usr/lib/homie/release', 'VERSION=1.1.0\n');
        writeTransaction(scene.places, transactionAt('installed'));
      },
      21,
      'the update before it is still on trial',
    ],
    [
      'the data of a rejected update is not restored yet',
      () => {
        scene.write('root/usr/lib/homie/release', 'VERSION=1.0.0\n');
        const migration = { at: '2026-01-02T03:04:05.000Z' };
        writeTransaction(scene.places, { ...transactionAt('rolled-back'), migration });
      },
      21,
      'the data that the update before it changed has not been restored yet. Reboot: the next boot restores it',
    ],
  ];
  test.each(refusals)(
    'refuses with one line when %s, and touches nothing',
    async (_when, arrange, exitCode, reason) => {
      arrange();
      const ended = await untouched(byRauc);
      expect(ended.reason).toStartWith(`Cannot install version "1.1.0": ${reason}`);
      expect(ended.stderr.trim().split('\n')).toHaveLength(1);
      expect(ended.exitCode).toBe(exitCode);
    },
  );

  test('lifts 9 to 21 when RAUC calls, which would lose the reason, and only then', async () => {
    const lock = takeUpdaterLock(scene.places);
    try {
      lock.note('1.2.0');
      const reason = `another update is running (update.sh, process ${process.pid})`;
      const [rauc, hand] = [await untouched(byRauc), await untouched(() => byHand())];
      expect([rauc.reason, hand.reason]).toEqual(
        Array(2).fill(`Cannot install version "1.1.0": ${reason}. Wait until it has ended`),
      );
      expect([rauc.exitCode, hand.exitCode]).toEqual([21, 9]);
    } finally {
      lock.release();
    }
  });

  test('admits when our own updater asked RAUC for this version', async () => {
    const lock = takeUpdaterLock(scene.places);
    try {
      lock.note('1.1.0');
      expect((await byRauc()).exitCode).toBe(0);
    } finally {
      lock.release();
    }
  });

  test('admits, and warns, when a key of the config is unknown or an uncritical value is wrong', async () => {
    const path = 'data/config/orchestrator.yaml';
    const more = 'update:\n  rehearse: auto\n  keep_backups: lots\n';
    scene.write(path, scene.read(path).replace('update:\n', more));
    const ended = await untouched(() => byHand());
    expect(ended.stderr).toContain('key update.rehearse is not known');
    expect(ended.stderr).toContain('key update.keep_backups: expected a whole number from 1, found "lots"');
    expect(ended.exitCode).toBe(0);
  });

  test('names file, line and key when a value is wrong with which an install would do harm', async () => {
    scene.write('data/config/orchestrator.yaml', 'homes: 1\nupdate:\n  unit: a b\n');
    const [rauc, hand] = [await untouched(byRauc), await untouched(() => byHand())];
    expect(hand.reason).toStartWith(
      `Cannot use the config "${scene.at('data/config/orchestrator.yaml')}": line 3, key update.unit: expected the name of a systemd unit, found "a b"`,
    );
    expect(rauc.reason).toBe(hand.reason);
    expect([rauc.exitCode, hand.exitCode]).toEqual([21, 2]);
  });

  test('names variable and option when the folder of the bundle is not given', async () => {
    const ended = await untouched(() => scene.run(['install-check']));
    expect(ended.reason).toContain('RAUC_BUNDLE_MOUNT_POINT');
    expect(ended.reason).toContain('--bundle DIR');
    expect(ended.exitCode).toBe(2);
  });

  test('lifts 1 to 21, too, when the bundle has no manifest', async () => {
    const env = { RAUC_SYSTEM_COMPATIBLE: 'x', RAUC_MOUNT_PREFIX: '/nowhere' };
    const rauc = await scene.run(['install-check'], { env });
    expect(rauc.reason).toBe(
      'Cannot read the manifest "/nowhere/bundle/manifest.raucm": no such file or folder',
    );
    expect(rauc.exitCode).toBe(21);
    expect((await scene.run(['install-check', '--bundle', '/nowhere'])).exitCode).toBe(1);
  });

  test('continues without a transaction that cannot be read', async () => {
    scene.write('data/update/transaction.json', '');
    expect((await byRauc()).exitCode).toBe(0);
  });
});
