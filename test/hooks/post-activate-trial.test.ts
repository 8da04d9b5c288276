import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { mkdirSync, rmSync } from 'node:fs';
import { readHistory } from '../../shared/update/transaction/transaction-store.ts';
import { asked, BootStage } from '../support/scene/boot-stage.ts';
import { writeTransaction } from '../support/scene/by-hand.ts';
import { bootId } from '../support/scene/scene.ts';
import { transactionAt } from '../support/scene/transactions.ts';
import { sick } from '../support/servers/health-server.ts';
import { until } from '../support/until.ts';

setDefaultTimeout(30_000);
let stage: BootStage;
beforeEach(() => {
  stage = new BootStage();
  stage.leaveUpdate(transactionAt('installed'));
  stage.bootInto({ booted: 'rootfs.1' });
});
afterEach(() => stage[Symbol.asyncDispose]());

const { status, isActive, start, markGood, leaveSlot, reboot } = asked;

describe('post-activate, in the boot of a new version', () => {
  test('starts it, and commits it when it is healthy', async () => {
    expect(stage.isUnitActive).toBe(false);
    const ended = await stage.postActivate();
    expect(ended.stderr.split('\n')).toEqual([
      'Trying version "1.1.0" in slot "rootfs.1"',
      'Starting "homie-orchestrator"',
      'Started "homie-orchestrator"',
      'Waiting until all is healthy, 1 s at most',
      'Healthy, to stay so for 1 s',
      'Healthy, according to: http, unit',
      'Marking slot "rootfs.1" good',
      'Marked slot "rootfs.1" good',
      'Committed version "1.1.0"',
      '',
    ]);
    expect(stage.distinctCalls()).toEqual([status, start, isActive, markGood]);
    expect(stage.isUnitActive).toBe(true);
    expect(stage.states()).toEqual(['preparing', 'installed', 'trial', 'committed']);
    expect(stage.transaction()).toMatchObject({ isClosed: true, steps: [{}, {}, { bootId }, { bootId }] });
    expect(readHistory(stage.places)).toEqual([stage.transaction()]);
    expect(ended.exitCode).toBe(0);
  });

  const otherReason = 'slot "rootfs.1" runs version "0.9.0" where "1.1.0" was installed';

  test('starts nothing, commits nothing and rolls back when the slot holds another version', async () => {
    stage.write('root/usr/lib/homie/release', 'VERSION=0.9.0\n');
    const dry = await stage.postActivate({}, '--dry-run');
    expect(dry.stderr).toContain('This is a boot of the kind "reject": ');
    const ended = await stage.postActivate();
    expect(ended.reason).toBe(
      `Cannot commit the update: ${otherReason}; rebooting into the version before it`,
    );
    expect(stage.distinctCalls()).toEqual([status, leaveSlot, reboot]);
    expect(stage.isUnitActive).toBe(false);
    expect(stage.transaction()).toMatchObject({
      isClosed: false,
      steps: [{}, {}, { state: 'rolled-back', reason: otherReason }],
    });
    expect(ended.exitCode).toBe(30);
  });

  test('goes by what RAUC has installed where the slot names no version', async () => {
    stage.bootInto({ booted: 'rootfs.1', versions: { 'rootfs.1': '0.9.0' } });
    rmSync(stage.at('root/usr/lib/homie/release'));
    const ended = await stage.postActivate();
    expect(ended.reason).toContain(otherReason);
    expect(ended.exitCode).toBe(30);
  });

  test.each([
    ['is missing', () => rmSync(stage.at('root/usr/lib/homie/release'))],
    ['names no version', () => void stage.write('root/usr/lib/homie/release', 'NAME=other\n')],
    [
      'cannot be read',
      () => {
        rmSync(stage.at('root/usr/lib/homie/release'));
        mkdirSync(stage.at('root/usr/lib/homie/release'));
      },
    ],
  ])('commits when the release file of the slot %s, and RAUC knows no version', async (_what, arrange) => {
    arrange();
    expect((await stage.postActivate()).exitCode).toBe(0);
    expect(stage.states()).toEqual(['preparing', 'installed', 'trial', 'committed']);
  });

  test('believes the running slot where RAUC knows another version', async () => {
    stage.bootInto({ booted: 'rootfs.1', versions: { 'rootfs.1': '0.9.0' } });
    expect((await stage.postActivate()).exitCode).toBe(0);
    expect(stage.states().at(-1)).toBe('committed');
  });

  test('only marks the slot good when it is run again after the commit', async () => {
    await stage.postActivate();
    rmSync(stage.at('calls'));
    expect((await stage.postActivate()).exitCode).toBe(0);
    expect(stage.distinctCalls()).toEqual([status, isActive, markGood]);
    expect(readHistory(stage.places)).toHaveLength(1);
  });

  test('rolls back when it is not healthy: verdict first, then the other slot, then a reboot', async () => {
    stage.health.answer = sick;
    stage.fake(
      'rauc',
      `case "$2" in --detailed) cat rauc-status.json;; mark-active) cp data/update/transaction.json seen;; esac`,
    );
    const ended = await stage.postActivate();
    const reason = 'version "1.1.0" is not healthy: http: it answers 500 (no database)';
    expect(ended.reason).toBe(`Cannot commit the update: ${reason}; rebooting into the version before it`);
    expect(stage.distinctCalls()).toEqual([status, start, isActive, leaveSlot, reboot]);
    expect(JSON.parse(stage.read('seen'))).toMatchObject({
      isClosed: false,
      steps: [{}, {}, {}, { state: 'rolled-back', reason }],
    });
    expect(stage.transaction()).toMatchObject({ isClosed: false });
    expect(stage.states()).toEqual(['preparing', 'installed', 'trial', 'rolled-back']);
    expect(readHistory(stage.places)).toEqual([]);
    expect(ended.exitCode).toBe(30);

    stage.bootInto({ booted: 'rootfs.0' });
    stage.health.answer = () => new Response('ok');
    expect((await stage.postActivate()).exitCode).toBe(0);
    expect(readHistory(stage.places)).toEqual([stage.transaction()]);
    expect(stage.transaction().isClosed).toBe(true);
  });

  test('rolls back when it is healthy at first, and does not stay so', async () => {
    stage.configure({ settle_seconds: 600 });
    let count = 0;
    stage.health.answer = () => {
      count += 1;
      return count < 6 ? new Response('ok') : sick();
    };
    const ended = await stage.postActivate();
    expect(ended.stderr).toContain('Healthy, to stay so for 600 s\n');
    expect(ended.reason).toContain('http: it answers 500');
    expect(stage.states().at(-1)).toBe('rolled-back');
    expect(ended.exitCode).toBe(30);
  });

  test('rolls back when the unit cannot be started', async () => {
    stage.write('fail-systemctl-start', 'Unit not found.\n');
    const ended = await stage.postActivate();
    expect(ended.reason).toContain('Cannot start "homie-orchestrator": "systemctl" ended with 1');
    expect(stage.calls()).toEqual([status, start, leaveSlot, reboot]);
    expect(ended.exitCode).toBe(30);
  });

  test('does not hold against it what was broken before the update already', async () => {
    const baseline = { http: { isHealthy: false, reason: 'it answers 404' } };
    writeTransaction(stage.places, { ...transactionAt('installed'), baseline });
    stage.health.answer = sick;
    const ended = await stage.postActivate();
    expect(ended.stderr).toContain('Broken before the update already: http: it answers 500 (no database)');
    expect(stage.states().at(-1)).toBe('committed');
    expect(ended.exitCode).toBe(0);
  });

  test('holds against it what is broken beside that, and a baseline that is none excuses nothing', async () => {
    const unit = { unit: { isHealthy: false, reason: 'it was inactive' } };
    for (const baseline of [unit, { http: { isHealthy: true } }, { http: 'broken' }]) {
      writeTransaction(stage.places, { ...transactionAt('installed'), baseline });
      stage.health.answer = sick;
      const ended = await stage.postActivate();
      expect(ended.reason).toContain('version "1.1.0" is not healthy: http: it answers 500');
      expect(ended.exitCode).toBe(30);
    }
  });

  test('leaves the slot also when the verdict cannot be written', async () => {
    stage.health.answer = () => {
      stage.remove('data/update/transaction.json');
      mkdirSync(stage.at('data/update/transaction.json'), { recursive: true });
      return sick();
    };
    const ended = await stage.postActivate();
    expect(ended.stderr).toContain('Cannot write the verdict down yet: Cannot write the transaction ');
    expect(stage.distinctCalls()).toEqual([status, start, isActive, leaveSlot, reboot]);
    expect([stage.isHeld, stage.isReleased]).toEqual([true, false]);
    expect(ended.exitCode).toBe(30);
  });

  test('reboots, leaving the rollback open, when RAUC cannot carry it out', async () => {
    stage.health.answer = sick;
    stage.breakMarks();
    const ended = await stage.postActivate();
    expect(ended.stderr).toContain('Cannot mark the other slot active yet: ');
    expect(stage.calls().at(-1)).toBe(reboot);
    expect(stage.states().at(-1)).toBe('rolled-back');
    expect(stage.transaction().isClosed).toBe(false);
    expect(readHistory(stage.places)).toEqual([]);
    expect(ended.exitCode).toBe(30);

    stage.bootInto({ booted: 'rootfs.1' });
    stage.fake('rauc', 'cat rauc-status.json');
    const next = await stage.postActivate({ env: { HOMIE_BOOT_ID: 'next-boot' } });
    expect(stage.calls()).toEqual([status, leaveSlot, reboot]);
    expect(stage.states().filter((state) => state === 'rolled-back')).toHaveLength(1);
    expect(stage.transaction().isClosed).toBe(false);
    expect(next.exitCode).toBe(30);
  });

  test('leaves the trial open when it is stopped, so that the next boot resumes it', async () => {
    const reached = Promise.withResolvers<void>();
    stage.health.answer = () => {
      reached.resolve();
      return sick();
    };
    stage.configure({ health_deadline_seconds: 600 });
    const ended = await stage.postActivate({
      whileRunning: async (process) => {
        await reached.promise;
        // Both checks are asked at once; either may be first.
        await until(() => stage.calls().includes(isActive));
        process.kill('SIGTERM');
      },
    });
    expect(stage.distinctCalls()).toEqual([status, start, isActive]);
    expect(stage.states()).toEqual(['preparing', 'installed', 'trial']);
    expect(stage.transaction().isClosed).toBe(false);
    expect(stage.isHeld).toBe(true);
    expect(ended.exitCode).toBe(143);
  });

  test.each(['trial', 'installing'] as const)(
    'resumes in the next boot when power was cut at "%s"',
    async (state) => {
      writeTransaction(stage.places, transactionAt(state));
      expect((await stage.postActivate()).exitCode).toBe(0);
      expect(stage.states()).toEqual(['preparing', state, 'trial', 'committed']);
    },
  );

  test('reboots, so that the attempts run out, when RAUC does not answer there', async () => {
    rmSync(stage.at('rauc-status.json'));
    const ended = await stage.postActivate();
    expect(ended.reason).toBe('Cannot try the new version: RAUC does not answer in its slot, rebooting');
    expect(stage.calls()).toEqual([status, reboot]);
    expect(stage.states()).toEqual(['preparing', 'installed']);
    expect(stage.isUnitActive).toBe(false);
    expect(ended.exitCode).toBe(20);
  });

  test('says so when even the reboot fails', async () => {
    stage.health.answer = sick;
    stage.write('fail-systemctl---no-block', 'Failed to talk to init\n');
    const ended = await stage.postActivate();
    expect(ended.reason).toBe(
      'Cannot reboot: "systemctl" ended with 1 (Failed to talk to init). Run "systemctl reboot"',
    );
    expect(stage.states().at(-1)).toBe('rolled-back');
    expect(ended.exitCode).toBe(1);
  });

  test('is rolled back in the fourth boot that it needs: it was always cut after it was marked good', async () => {
    for (let boot = 1; boot <= 4; boot += 1) {
      stage.bootInto({ booted: 'rootfs.1' });
      const env = { HOMIE_BOOT_ID: `boot-${boot}` };
      const ended = await stage.postActivate({ env, fault: 'kill@trial:marked-good' });
      expect(ended.exitCode).toBe(boot <= 3 ? 137 : 30);
    }
    expect(stage.transaction().steps.at(-1)?.reason).toBe('its trial was interrupted in 3 boots');
    expect(stage.calls()).toEqual([status, leaveSlot, reboot]);
  });
});
