import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { takeUpdaterLock } from '../../shared/update/install-lock.ts';
import { asked } from '../support/boot-stage.ts';
import { MigratingStage } from '../support/migrating-stage.ts';
import type { Ended, StartOptions } from '../support/scene.ts';
import { until } from '../support/until.ts';

/** Whatever way a program ends, what it stopped runs again: by its own hand, or by what systemd was told before. */

setDefaultTimeout(60_000);
let stage: MigratingStage;
beforeEach(() => {
  stage = new MigratingStage();
});
afterEach(() => stage[Symbol.asyncDispose]());

const ways = ['fail', 'crash', 'SIGTERM', 'deadline', 'kill'] as const;
type Way = (typeof ways)[number];

/** Ends it that way at the fault point, which it reaches with the orchestrator stopped. */
async function endAt(
  point: string,
  way: Way,
  args: string[],
  env: Record<string, string> = {},
): Promise<Ended> {
  const kind = way === 'fail' || way === 'crash' || way === 'kill' ? way : 'hang';
  const options: StartOptions = { fault: `${kind}@${point}`, env };
  if (way === 'deadline') options.env = { ...env, HOMIE_FAULT_DEADLINE_MS: '2500' };
  if (way === 'SIGTERM')
    options.whileRunning = async (process) => {
      await until(() => !stage.isUnitActive);
      process.kill(way);
    };
  return await stage.run(args, options);
}

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

    const ended = await endAt(point, way, [...args], stage.slotHookEnv);
    expect(ended.exitCode).not.toBe(0);
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

describe('post-activate, in the middle of a trial', () => {
  test.each(ways)('brings the update to a verdict when systemd runs it again after: %s', async (way) => {
    stage.bootNew();
    const ended = await endAt('data:migrated', way, ['post-activate']);
    expect(ended.exitCode).not.toBe(0);
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
      'Cannot commit the update: its trial was cut short 3 times in this boot; rebooting into the version before it',
    );
    expect(stage.calls()).toContain(asked.reboot);
    expect(ended.exitCode).toBe(30);
    stage.rebootInto('rootfs.0');
    expect((await stage.postActivate()).exitCode).toBe(0);
    expect([stage.isUnitActive, stage.isHeld]).toEqual([true, false]);
    expect(stage.stack.database).toBe('0001 Ada');
  });
});
