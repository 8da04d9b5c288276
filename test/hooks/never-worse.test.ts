import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { asked } from '../support/scene/boot-stage.ts';
import { takeUpdaterLock, writeTransaction } from '../support/scene/by-hand.ts';
import { EarlyStage } from '../support/scene/early-stage.ts';
import { MigratingStage } from '../support/scene/migrating-stage.ts';
import { bootId, type Scene, type StartOptions } from '../support/scene/scene.ts';
import { transactionAt } from '../support/scene/transactions.ts';
import { until } from '../support/until.ts';

/** After any end of a program, the services that it stopped run again: started by the program, or by a systemd timer. */

setDefaultTimeout(60_000);
let stage: MigratingStage;
beforeEach(() => {
  stage = new MigratingStage();
});
afterEach(() => stage[Symbol.asyncDispose]());

const ways = ['fail', 'crash', 'SIGTERM', 'deadline', 'kill'] as const;
type Way = (typeof ways)[number];

interface EndOptions {
  on?: Scene;
  env?: Record<string, string>;
  /** The program's own exit code for a failure. */
  failsWith?: number;
}

/** Ends it that way at the fault point, and nowhere before. */
async function endAt(
  point: string,
  way: Way,
  args: readonly string[],
  { on = stage, env = {}, failsWith = 1 }: EndOptions = {},
): Promise<void> {
  const kind = way === 'fail' || way === 'crash' || way === 'kill' ? way : 'hang';
  const options: StartOptions = {
    fault: `${kind}@${point}`,
    env: { ...env, HOMIE_STEPS: on.at('steps'), HOMIE_FAULT_NOTICE_MS: '500' },
  };
  if (way === 'deadline') options.env = { ...options.env, HOMIE_FAULT_DEADLINE_MS: '2500' };
  if (way === 'SIGTERM')
    options.whileRunning = async (process) => {
      await until(() => on.has('steps') && on.read('steps').includes(`hang ${point}`));
      process.kill(way);
    };
  const ended = await on.run(args, options);
  on.remove('steps');
  const [code, words] = ends[way];
  expect(ended.exitCode).toBe(code ?? failsWith);
  expect(ended.stderr).toContain(words ?? `Cannot pass "${point}"`);
}

/** The exit code, where it is not the program's own for a failure; and how it shows on stderr that it was this end. */
const ends: Readonly<Record<Way, [code?: number | undefined, words?: string]>> = {
  fail: [],
  crash: [undefined, 'no handler catches this'],
  SIGTERM: [143, 'it was stopped by SIGTERM'],
  deadline: [undefined, 'it did not end within 2.5 s'],
  // Nothing at all.
  kill: [137, ''],
};

/** What systemd-run was told, done now: the time is over, or the lock is free. */
async function letSystemdAct(): Promise<void> {
  const armed = stage.calls().filter((call) => call.startsWith('systemd-run'));
  for (const call of armed) {
    const [, words = ''] = call.split(' -- ');
    const env = { PATH: `${stage.at('bin')}:/usr/bin:/bin` };
    expect(await Bun.spawn(['/bin/sh', '-c', words], { env }).exited).toBe(0);
  }
}

describe.each([
  ['pre-install', 'backup:stopped', ['slot-pre-install']],
  ['update.sh backup', 'backup:stopped', ['update.sh', 'backup', '--config-only']],
  ['update.sh restore', 'restore:stopped', ['update.sh', 'restore', '--config-only', '--yes']],
] as const)('%s, with the orchestrator stopped', (_program, point, args) => {
  test.each(ways)('starts it again when it ends by: %s', async (way) => {
    stage.bootInto({ booted: 'rootfs.0' });
    expect((await stage.run(['update.sh', 'backup', '--config-only'])).exitCode).toBe(0);
    stage.remove('calls');
    expect(stage.isUnitActive).toBe(true);

    await endAt(point, way, args, { env: stage.slotHookEnv });
    expect(stage.calls()).toContain(asked.stop);
    if (way === 'kill') {
      expect(stage.isUnitActive).toBe(false);
      await letSystemdAct();
    }
    expect(stage.isUnitActive).toBe(true);
    expect(stage.calls()).toContain(asked.start);
    takeUpdaterLock(stage.places).release();
  });
});

describe.each([
  ['install-check', 'install-check:read', ['install-check'], 21],
  ['system-check', 'system-check:read', ['system-check'], 1],
  ['post-install', 'post-install:images', ['slot-post-install'], 1],
  ['update.sh install', 'install:verified', ['update.sh', 'install', '--reboot', 'no', 'FILE'], 1],
] as const)('%s, which stops nothing', (_program, point, args, failsWith) => {
  test.each(ways)('leaves it running when it ends by: %s', async (way) => {
    stage.bootInto({ booted: 'rootfs.0' });
    if (point === 'post-install:images')
      writeTransaction(stage.places, transactionAt('installing', { bootId }));
    stage.write('root/etc/rauc/system.conf', '[system]\ncompatible=jetson-nano-homie\n');
    stage.write('rauc-info.json', '{"compatible":"jetson-nano-homie","version":"1.1.0"}');
    const file = stage.write('update.raucb', 'a bundle');
    const words = args.map((word) => (word === 'FILE' ? file : word));
    await endAt(point, way, words, { env: stage.slotHookEnv, failsWith });
    expect(stage.calls().filter((call) => /^(systemctl stop|rauc install) /.test(call))).toEqual([]);
    expect(stage.isUnitActive).toBe(true);
    takeUpdaterLock(stage.places).release();
  });
});

describe.each([
  ['rollback', ['rollback']],
  ['cancel', ['cancel']],
])('update.sh %s, of an update that has migrated and waits', (_program, words) => {
  test.each(ways)('lets the old version run on its own data when it runs again after: %s', async (way) => {
    using early = new EarlyStage();
    expect((await early.postInstall()).exitCode).toBe(0);
    early.setPrimary('rootfs.1');
    await endAt('data:restored', way, ['update.sh', ...words], { on: early });
    expect(early.isHeld || early.isUnitActive).toBe(true);
    expect((await early.run(['update.sh', ...words])).exitCode).toBe(0);
    expect([early.isUnitActive, early.isHeld, early.stack.database]).toEqual([true, false, '0001 Ada']);
    takeUpdaterLock(early.places).release();
  });
});

test.each(ways)('update.sh repair lets it run when it runs again after: %s', async (way) => {
  using early = new EarlyStage();
  expect((await early.postInstall({ fault: 'kill@data:migrated' })).exitCode).toBe(137);
  await endAt('data:restored', way, ['update.sh', 'repair', '--yes'], { on: early });
  expect((await early.run(['update.sh', 'repair', '--yes'])).exitCode).toBe(0);
  expect([early.isUnitActive, early.isHeld, early.stack.database]).toEqual([true, false, '0001 Ada']);
  takeUpdaterLock(early.places).release();
});

describe('post-activate, in the middle of a trial', () => {
  test.each(ways)('brings the update to a verdict when systemd runs it again after: %s', async (way) => {
    stage.bootNew();
    await endAt('data:migrated', way, ['post-activate'], { failsWith: way === 'fail' ? 30 : 1 });
    if (way === 'fail') {
      expect(stage.calls()).toContain(asked.reboot);
      return;
    }
    expect(stage.isUnitActive).toBe(false);
    expect((await stage.postActivate()).exitCode).toBe(0);
    expect(stage.isUnitActive).toBe(true);
    expect(stage.states().at(-1)).toBe('committed');
  });

  test('rolls the update back when that happens again and again in the same boot', async () => {
    stage.bootNew();
    for (let run = 1; run <= 3; run += 1) await endAt('data:dumped', 'kill', ['post-activate']);
    const ended = await stage.postActivate();
    expect(ended.reason).toBe(
      'Cannot commit the update: its trial was interrupted 3 times in this boot; rebooting into the version before it',
    );
    expect(stage.calls()).toContain(asked.reboot);
    expect(ended.exitCode).toBe(30);
    stage.rebootInto('rootfs.0');
    expect((await stage.postActivate()).exitCode).toBe(0);
    expect([stage.isUnitActive, stage.isHeld]).toEqual([true, false]);
    expect(stage.stack.database).toBe('0001 Ada');
  });
});
