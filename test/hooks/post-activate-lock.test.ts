import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { existsSync, readFileSync } from 'node:fs';
import { asked, BootStage } from '../support/scene/boot-stage.ts';
import { takeUpdaterLock } from '../support/scene/by-hand.ts';
import type { Ended } from '../support/scene/scene.ts';
import { transactionAt } from '../support/scene/transactions.ts';
import { sick } from '../support/servers/health-server.ts';
import { until } from '../support/until.ts';

setDefaultTimeout(30_000);
let stage: BootStage;
beforeEach(() => {
  stage = new BootStage();
  stage.bootInto({ booted: 'rootfs.0' });
});
afterEach(() => stage[Symbol.asyncDispose]());

const { status, isActive, markGood } = asked;

describe('post-activate and the lock', () => {
  const isBusy = /another update is running \(post-activate, process/;

  /** Healthy only after the check, which is made while it is not. */
  async function whileUnhealthy(check: () => void): Promise<Ended> {
    stage.configure({ health_deadline_seconds: 600 });
    const wasAsked = Promise.withResolvers<void>();
    stage.health.answer = () => {
      wasAsked.resolve();
      return sick();
    };
    return await stage.postActivate({
      whileRunning: async () => {
        await wasAsked.promise;
        check();
        stage.health.answer = () => new Response('ok');
      },
    });
  }

  test('holds it until the verdict of a trial: no install overwrites its fallback', async () => {
    stage.leaveUpdate(transactionAt('installed'));
    stage.bootInto({ booted: 'rootfs.1' });
    const ended = await whileUnhealthy(() => {
      expect(() => takeUpdaterLock(stage.places)).toThrow(isBusy);
    });
    expect(ended.exitCode).toBe(0);
    takeUpdaterLock(stage.places).release();
  });

  test('has it no more while an ordinary boot gets healthy: the update may be the cure', async () => {
    const ended = await whileUnhealthy(() => takeUpdaterLock(stage.places).release());
    expect(ended.exitCode).toBe(0);
  });

  test('waits while another program restores or switches slots, and reads the state only then', async () => {
    const lock = takeUpdaterLock(stage.places);
    const ended = await stage.postActivate({
      whileRunning: async () => {
        const log = stage.at('data/logs/update.log');
        await until(() => existsSync(log) && readFileSync(log, 'utf8').includes('Waiting for the lock'));
        expect(stage.calls()).toEqual([]);
        lock.release();
      },
    });
    expect(ended.stderr).toContain('Waiting for the lock: Cannot take the lock: another update is running');
    expect(stage.distinctCalls()).toEqual([status, isActive, markGood]);
    expect(ended.exitCode).toBe(0);
  });

  test('continues without a lock that cannot be made: a boot must not fail because of it', async () => {
    stage.remove('run');
    stage.write('run', 'not a folder');
    const ended = await stage.postActivate();
    expect(ended.stderr).toMatch(/Cannot open the lock .*; continuing without it/);
    expect(stage.distinctCalls()).toEqual([status, isActive, markGood]);
    expect(ended.exitCode).toBe(0);
  });

  test('asks nothing of it for --dry-run', async () => {
    const lock = takeUpdaterLock(stage.places);
    const ended = await stage.postActivate({}, '--dry-run');
    lock.release();
    expect(ended.exitCode).toBe(0);
  });
});
