import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { lockFileOf } from '../../../shared/system/places.ts';
import { readRefusals } from '../../../shared/update/admission/refusal-log.ts';
import { readProgress } from '../../../shared/update/install/progress.ts';
import { readHistory } from '../../../shared/update/transaction/transaction-store.ts';
import { mayMount } from '../../support/privileges.ts';
import { recordedOutputs } from '../../support/rauc/outputs.ts';
import { asked } from '../../support/scene/boot-stage.ts';
import { closeTransaction, takeUpdaterLock, writeTransaction } from '../../support/scene/by-hand.ts';
import { statusJson } from '../../support/scene/rauc-status.ts';
import { type Ended, Scene, treeOf } from '../../support/scene/scene.ts';
import { onSmallDisk } from '../../support/scene/small-disk.ts';
import { transactionAt } from '../../support/scene/transactions.ts';
import { until } from '../../support/until.ts';

let scene: Scene;
let file: string;
const { status } = asked;
let info: string;
beforeEach(() => {
  scene = new Scene();
  scene.usual['reboot'] = 'no';
  scene.configure({ reserve_mib: 0 });
  file = scene.write('update.raucb', 'a bundle');
  info = `rauc info --output-format=json ${file}`;
  scene.write('root/etc/rauc/system.conf', '[system]\ncompatible=jetson-nano-homie\n');
  scene.write('rauc-info.json', '{"compatible":"jetson-nano-homie","version":"1.1.0"}');
  scene.write('rauc-status.json', statusJson({ booted: 'rootfs.0' }));
  scene.write('rauc-install.sh', 'cp run/update.lock seen-lock; echo " 90% Copying image to rootfs.1"');
});
afterEach(() => scene[Symbol.dispose]());

function install(...args: string[]): Promise<Ended> {
  return scene.run(['update.sh', 'install', ...args]);
}

describe('update.sh install', () => {
  test('verifies, lets RAUC install under the lock, and asks for the reboot with 4', async () => {
    const ended = await install(file);
    expect(ended.stderr.split('\n')).toEqual([
      `Verifying "${file}"`,
      `Verified "${file}"`,
      'Installing version "1.1.0"',
      '90% Copying image to rootfs.1',
      'Installed version "1.1.0"',
      'Reboot to try it: "systemctl reboot"',
      '',
    ]);
    expect(scene.calls()).toEqual([status, info, `rauc install ${file}`]);
    expect(JSON.parse(scene.read('seen-lock'))).toMatchObject({ program: 'update.sh', installing: '1.1.0' });
    takeUpdaterLock(scene.places).release();
    expect(ended.exitCode).toBe(4);
  });

  test('ends with 2 when the file is not there, or is a folder without a bundle', async () => {
    const missing = await install('/nowhere.raucb');
    expect(missing.reason).toStartWith('Cannot use "/nowhere.raucb": no such file or folder. ');
    const folder = await install(scene.bundle);
    expect(folder.reason).toStartWith(`Cannot use "${scene.bundle}": there is no .raucb in this folder. `);
    expect([missing.exitCode, folder.exitCode]).toEqual([2, 2]);
    expect(scene.calls()).toEqual([]);
  });

  test.each([
    ['its path alone', () => [file]],
    ['a file: URL', () => [`file://${file}`]],
    ['the folder that holds it alone, as a stick', () => [scene.write('stick/a.raucb', 'x').slice(0, -8)]],
  ])('takes %s', async (_what, argsOf) => {
    const ended = await scene.run(['update.sh', ...argsOf()]);
    expect(scene.calls().at(-1)).toStartWith(`rauc install ${scene.path}`);
    expect(ended.exitCode).toBe(4);
  });

  test('takes the bundle from stdin, by way of the data partition, and leaves no copy', async () => {
    scene.write('rauc-install.sh', 'cp "$2" seen');
    const ended = await scene.run(['update.sh', '-'], { stdin: new Blob(['a bundle']) });
    const copy = scene.at('data/update/download/bundle.raucb');
    expect(scene.calls()).toEqual([status, `rauc info --output-format=json ${copy}`, `rauc install ${copy}`]);
    expect(scene.read('seen')).toBe('a bundle');
    expect(readdirSync(scene.at('data/update/download'))).toEqual([]);
    expect(ended.exitCode).toBe(4);

    expect((await scene.run(['update.sh', '-'], { stdin: new Blob([]) })).reason).toBe(
      'Cannot read "stdin": it is empty',
    );
  });

  test.skipIf(!mayMount)('copies the bundle from another file system, which may be pulled out', async () => {
    await onSmallDisk(scene, 512, async (disk) => {
      const stick = join(disk.path, 'a.raucb');
      writeFileSync(stick, 'a bundle');
      scene.write('rauc-install.sh', 'cp "$2" seen');
      const ended = await install(disk.path);
      expect(ended.stderr).toContain(`Copying "${stick}" to the data partition (8 B)`);
      expect(scene.calls().at(-1)).toBe(`rauc install ${scene.at('data/update/download/bundle.raucb')}`);
      expect(scene.read('seen')).toBe('a bundle');
      expect(ended.exitCode).toBe(4);
    });
  });

  test('refuses what was rolled back here, unless it is forced', async () => {
    closeTransaction(scene.places, {
      ...transactionAt('rolled-back'),
      isClosed: true,
    });
    const ended = await install(file);
    expect(ended.reason).toMatch(/: version 1\.1\.0 was rolled back here at .*\. Add --force to install it/);
    expect(scene.calls()).toEqual([status, info]);
    expect(ended.exitCode).toBe(10);
    expect((await install('--force', file)).exitCode).toBe(4);
  });

  test('waits for the clock, and continues when it is not synchronised', async () => {
    scene.write(
      'bin/timedatectl',
      `#!/bin/sh
cd ${scene.path}; echo x >> asked
if [ "$(wc -l < asked)" -gt 2 ]; then echo "  System clock synchronized: yes"; else echo "  System clock synchronized: no"; fi
`,
      0o755,
    );
    const ended = await install(file);
    expect(ended.stderr).toStartWith('Waiting for the clock to be synchronised\nVerifying ');
    expect(scene.read('asked')).toBe('x\nx\nx\n');
    expect(ended.exitCode).toBe(4);
  });

  test('tells in a file how it stands, up to the end', async () => {
    scene.write('rauc-install.sh', 'echo "40% Copying"; cp run/progress.json seen; exec sleep 0');
    await install(file);
    expect(JSON.parse(scene.read('seen'))).toMatchObject({
      phase: 'installing',
      version: '1.1.0',
      source: file,
    });
    expect(readProgress(scene.places)).toMatchObject({ phase: 'done', percent: 100, exitCode: 4 });
    scene.write('rauc-install.sh', 'echo "LastError: no"; exit 1');
    await install(file);
    expect(readProgress(scene.places)).toMatchObject({
      phase: 'failed',
      exitCode: 1,
      reason: expect.any(String),
    });
  });

  test('is busy, and fetches nothing, while RAUC installs for another program', async () => {
    scene.write('fail-rauc-status', 'rauc: already processing a different method\n');
    const ended = await install(file);
    expect(scene.calls()).toEqual([status]);
    expect(ended.exitCode).toBe(9);
    expect(scene.read('data/logs/update.log')).toEndWith(`${ended.reason}\n`);
    // It has not taken the lock, not even for a moment: a hook of that install may be about to.
    expect(existsSync(lockFileOf(scene.places))).toBe(false);
  });

  test('ends with 12 and the words of RAUC when the signature is refused', async () => {
    scene.write('fail-rauc-info', 'signature verification failed: certificate has expired\n');
    const ended = await install(file);
    expect(ended.reason).toBe(
      `Cannot verify "${file}": signature verification failed: certificate has expired. It is damaged, or not signed by a key that this device trusts`,
    );
    expect(scene.calls()).toEqual([status, info]);
    expect(ended.exitCode).toBe(12);
  });

  test.each<[name: string, reason: string, exitCode: number]>([
    ['unknown-key', "Failed to load manifest: Invalid key 'colour' in group '[image.rootfs]'", 10],
    ['encrypted', 'it is encrypted (format=crypt), and this device has no key for it', 10],
    ['format-not-allowed', "Bundle format 'verity' not allowed", 10],
    ['empty', 'it is empty, or shorter than the size of a signature', 1],
    ['random-bytes', 'Invalid bundle format: Signature size (66000) exceeds bundle size', 1],
    ['cut-short', 'Invalid bundle format: Signature size (66000) exceeds bundle size', 1],
    ['no-keyring', 'No keyring file or directory provided', 1],
  ])(
    'is no refused signature when RAUC says "%s", with and without --dry-run',
    async (name, reason, exitCode) => {
      scene.write('fail-rauc-info', recordedOutputs('1.8', 'info')[name]?.stderr ?? '');
      for (const options of [[], ['--dry-run']]) {
        const ended = await install(file, ...options);
        expect(ended.reason).toStartWith(`Cannot verify "${file}": ${reason}. `);
        expect(ended.exitCode).toBe(exitCode);
      }
      expect(readRefusals(scene.places)).toEqual([]);
    },
  );

  const refusals: [when: string, () => void, reason: RegExp, exitCode: number][] = [
    [
      'it is for another board',
      () => scene.write('rauc-info.json', '{"compatible":"other","version":"1.1.0"}'),
      /: it is for "other", this system is "jetson-nano-homie"\. /,
      10,
    ],
    [
      'it has no version',
      () => scene.write('rauc-info.json', '{"compatible":"jetson-nano-homie","version":null}'),
      /: its version "" is not a semantic version\. /,
      10,
    ],
    [
      'it is older',
      () => scene.write('root/usr/lib/homie/release', 'VERSION=2.0.0\n'),
      /: version 1\.1\.0 is older than 2\.0\.0, which runs\. /,
      10,
    ],
    [
      'the backup does not fit',
      () => scene.configure({ reserve_mib: 1_000_000_000 }),
      /: it needs 954 TiB on the file system of .* \(backup \d+ B, reserve 954 TiB\), .* are free\. Remove old/,
      11,
    ],
    ['the user says no', () => scene.write('data/update/inhibit', ''), /: updates are inhibited\. /, 14],
    [
      'an update is on trial',
      () => {
        scene.write('root/usr/lib/homie/release', 'VERSION=1.1.0\n');
        writeTransaction(scene.places, transactionAt('trial'));
      },
      /: the update before it is still on trial/,
      9,
    ],
  ];
  test.each(refusals)('refuses before RAUC installs when %s', async (_when, arrange, reason, exitCode) => {
    arrange();
    const before = treeOf(scene.places.data);
    const ended = await install(file);
    expect(ended.reason).toStartWith(`Cannot install "${file}": `);
    expect(ended.reason).toMatch(reason);
    expect(scene.calls().filter((call) => call !== status && call !== info)).toEqual([]);
    expect(scene.read('data/logs/update.log')).toEndWith(`${ended.reason}\n`);
    scene.remove('data/logs');
    expect(treeOf(scene.places.data)).toEqual(before);
    expect(ended.exitCode).toBe(exitCode);
  });

  test.each(['1.1.0', '1.2.0'])('ends with 9 when another one installs version %s', async (version) => {
    const lock = takeUpdaterLock(scene.places);
    try {
      lock.note(version);
      const ended = await install(file);
      expect(ended.reason).toContain(`another update is running (update.sh, process ${process.pid})`);
      expect(scene.calls()).toEqual([]);
      expect(existsSync(scene.at('run/progress.json'))).toBe(false);
      expect(ended.exitCode).toBe(9);
    } finally {
      lock.release();
    }
  });

  test('ends with 9 when RAUC installs for another program', async () => {
    scene.write('rauc-install.sh', 'echo "Failed …: Already processing a different method" >&2; exit 2');
    const ended = await install(file);
    expect(ended.reason).toBe(
      `Cannot install "${file}": RAUC is busy with another one. Wait until it has ended`,
    );
    expect(ended.exitCode).toBe(9);
  });

  /** What the hooks have noted by the time RAUC fails. */
  function failAfterHooks(
    lastError = 'Failed updating slot rootfs.1: no space',
    noted = transactionAt('installing'),
  ): void {
    const transaction = JSON.stringify(noted);
    scene.write(
      'rauc-install.sh',
      `mkdir -p data/update; echo '${transaction}' > data/update/transaction.json; echo "LastError: ${lastError}"; exit 1`,
    );
  }

  test('closes the update with the reason of RAUC when RAUC fails after a hook', async () => {
    failAfterHooks();
    const ended = await install(file);
    expect(ended.reason).toBe(`Cannot install "${file}": Failed updating slot rootfs.1: no space`);
    expect(scene.states()).toEqual(['preparing', 'installing', 'failed']);
    expect(readHistory(scene.places)[0]?.steps.at(-1)?.reason).toBe(
      'Failed updating slot rootfs.1: no space',
    );
    expect(scene.calls()).toEqual([status, info, `rauc install ${file}`, status]);
    expect(ended.exitCode).toBe(1);
  });

  test('says what a hook has noted where RAUC knows only how the hook ended', async () => {
    const failed = transactionAt('failed', { reason: 'Cannot pull "core": no such host' });
    const lastError =
      'Failed updating slot rootfs.1: failed to run slot hook: Child process exited with code 1';
    failAfterHooks(lastError, failed);
    const ended = await install(file);
    expect(ended.reason).toBe(`Cannot install "${file}": Cannot pull "core": no such host`);
    expect(ended.exitCode).toBe(1);
  });

  test('leaves the update to the next boot when RAUC failed with the new slot active, or does not answer', async () => {
    failAfterHooks();
    scene.write('rauc-status.json', statusJson({ booted: 'rootfs.0', primary: 'rootfs.1' }));
    expect((await install(file)).exitCode).toBe(1);
    expect(scene.states()).toEqual(['preparing', 'installing']);

    rmSync(scene.at('rauc-status.json'));
    const ended = await install(file);
    expect(ended.stderr).toContain('Cannot close the failed update, the next boot does');
    expect(ended.reason).toStartWith(`Cannot install "${file}"`);
    expect(scene.states()).toEqual(['preparing', 'installing']);
  });

  test('leaves an update alone that was closed before, or is for another version', async () => {
    scene.write('rauc-install.sh', 'echo "LastError: no"; exit 1');
    writeTransaction(scene.places, transactionAt('installing', { version: '1.0.5' }));
    const before = scene.read('data/update/transaction.json');
    expect((await install(file)).exitCode).toBe(1);
    expect(scene.read('data/update/transaction.json')).toBe(before);
  });

  test('frees the lock, and closes nothing, when it is stopped while RAUC continues', async () => {
    writeTransaction(scene.places, transactionAt('installing'));
    scene.write('hang-rauc-install', '');
    const ended = await scene.run(['update.sh', 'install', file], {
      whileRunning: async (process) => {
        await until(() => existsSync(scene.at('hanging')));
        process.kill('SIGTERM');
      },
    });
    expect(ended.reason).toBe('Cannot finish update.sh: it was stopped by SIGTERM');
    expect(scene.states()).toEqual(['preparing', 'installing']);
    takeUpdaterLock(scene.places).release();
    expect(ended.exitCode).toBe(143);
  });

  test('--dry-run verifies and decides, and changes nothing', async () => {
    const before = treeOf(scene.places.data);
    const ended = await install('--dry-run', file);
    expect(ended.reason).toBe(`Would install version "1.1.0" from "${file}"`);
    expect(scene.calls()).toEqual([status, info]);
    expect(treeOf(scene.places.data)).toEqual(before);
    expect(existsSync(scene.at('run/update.lock'))).toBe(false);
    expect(ended.exitCode).toBe(0);
  });
});
