import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { existsSync } from 'node:fs';
import { type Ended, Scene, treeOf } from '../support/scene/scene.ts';
import { transactionAt } from '../support/scene/transactions.ts';

const noteFile = 'data/update/admitted.json';

let scene: Scene;
beforeEach(() => {
  scene = new Scene();
  scene.configure();
  scene.write('root/etc/rauc/system.conf', '[system]\ncompatible=jetson-nano-homie\n');
  scene.write('root/usr/lib/homie/release', 'VERSION=1.0.0\n');
});
afterEach(() => scene[Symbol.dispose]());

/** As RAUC calls a handler: by its own name, with what the bundle's manifest gives as arguments. */
function byRauc(args: readonly string[] = ['']): Promise<Ended> {
  const env = {
    RAUC_SYSTEM_CONFIG: scene.at('root/etc/rauc/system.conf'),
    RAUC_BUNDLE_MOUNT_POINT: scene.bundle,
    RAUC_TARGET_SLOTS: '1',
  };
  return scene.run(args, { calledAs: '/usr/lib/homie/update-hooks/system-check', env });
}

/** It changes nothing, with any answer. */
async function untouched(work: () => Promise<Ended>): Promise<Ended> {
  const before = treeOf(scene.path);
  const ended = await work();
  expect(treeOf(scene.path)).toEqual(before);
  expect(scene.calls()).toEqual([]);
  return ended;
}

describe('system-check', () => {
  test('lets a newer version of this board pass, and touches nothing', async () => {
    expect(await untouched(byRauc)).toMatchObject({
      stderr: 'Version "1.1.0" is for this device\n',
      stdout: '',
      exitCode: 0,
    });
  });

  const refusals: [when: string, () => void, reason: string][] = [
    [
      'it is for another board',
      () => scene.writeBundle({ compatible: 'other' }),
      'version "1.1.0": it is for "other", this system is "jetson-nano-homie". Get the bundle for this board',
    ],
    [
      'it is older than what runs',
      () => scene.writeBundle({ version: '0.9.0' }),
      'version "0.9.0": version 0.9.0 is older than 1.0.0, which runs. Set update.allow_downgrade: true in orchestrator.yaml if you mean it',
    ],
    [
      'a newer one was committed',
      () => {
        const committed = transactionAt('committed', { version: '1.2.0', isClosed: true });
        scene.write('data/update/history.jsonl', `${JSON.stringify(committed)}\n`);
      },
      'version "1.1.0": version 1.1.0 is older than 1.2.0, which was committed before. Set update.allow_downgrade: true in orchestrator.yaml if you mean it',
    ],
    [
      'it is older than the minimum version, even where downgrades are allowed',
      () => scene.configure({ version_floor: '1.1.1', allow_downgrade: true }),
      'version "1.1.0": version 1.1.0 is older than the minimum version 1.1.1. The minimum version is update.version_floor in orchestrator.yaml',
    ],
    [
      'its version is no version',
      () => scene.writeBundle({ version: 'newest' }),
      'version "newest": its version "newest" is not a semantic version. Build it with a version like 1.2.0',
    ],
  ];
  test.each(refusals)('refuses, and tells RAUC, when %s', async (_when, arrange, reason) => {
    arrange();
    const ended = await untouched(byRauc);
    expect(ended.stdout).toBe(`<< error Cannot install ${reason}\n`);
    expect(ended.reason).toBe(`Cannot install ${reason}`);
    expect(ended.exitCode).toBe(10);
  });

  test('drops what install-check noted of a bundle before, once this one may pass', async () => {
    scene.write(noteFile, '{}');
    scene.writeBundle({ version: '0.9.0' });
    expect((await untouched(byRauc)).exitCode).toBe(10);
    scene.writeBundle({ version: '1.1.0' });
    expect((await untouched(() => scene.run(['system-check', '--bundle', scene.bundle]))).exitCode).toBe(0);
    expect((await byRauc()).exitCode).toBe(0);
    expect(existsSync(scene.at(noteFile))).toBe(false);
  });

  test('refuses, and tells RAUC, when it cannot drop it', async () => {
    scene.write(`${noteFile}/in-the-way`, '');
    const ended = await untouched(byRauc);
    expect(ended.stdout).toStartWith(`<< error Cannot remove "${scene.at(noteFile)}": `);
    expect(ended.exitCode).toBe(1);
  });

  test('refuses an older version with any arguments of the bundle for its handler', async () => {
    scene.writeBundle({ version: '0.9.0' });
    const answers = [['--help'], ['--version'], ['--data=/nowhere'], ['hook']].map(byRauc);
    expect((await Promise.all(answers)).map(({ exitCode }) => exitCode)).toEqual([10, 10, 10, 10]);
  });

  test('refuses, and tells RAUC, when the config cannot be read', async () => {
    scene.write('data/config/orchestrator.yaml', 'update:\n  version_floor: 1\n');
    const ended = await untouched(byRauc);
    expect(ended.stdout).toStartWith('<< error Cannot use the config ');
    expect(ended.exitCode).toBe(2);
  });

  test('lets an older version pass when the config allows it', async () => {
    scene.configure({ allow_downgrade: true });
    scene.writeBundle({ version: '0.9.0' });
    expect((await untouched(byRauc)).exitCode).toBe(0);
  });

  test('speaks to a person without the prefix, and has a --help', async () => {
    scene.writeBundle({ version: '0.9.0' });
    const ended = await untouched(() => scene.run(['system-check', '--bundle', scene.bundle, '--dry-run']));
    expect(ended.stdout).toBe('');
    expect(ended.reason).toStartWith('Cannot install version "0.9.0": ');
    expect(ended.exitCode).toBe(10);
    const help = await scene.run(['system-check', '--help']);
    expect(help.stdout).toContain('system-check');
    expect(help.exitCode).toBe(0);
  });
});
