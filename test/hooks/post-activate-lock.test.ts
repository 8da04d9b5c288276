import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { existsSync, readFileSync } from 'node:fs';
import { takeUpdaterLock } from '../../shared/update/install-lock.ts';
import { asked, BootStage } from '../support/boot-stage.ts';
import { sick } from '../support/health-server.ts';
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
  test('holds it until the verdict: nobody installs over the fallback of a system that is not proved', async () => {
    stage.configure({ health_deadline_seconds: 600 });
    const wasAsked = Promise.withResolvers<void>();
    stage.health.answer = () => {
      wasAsked.resolve();
      return sick();
    };
    const ended = await stage.postActivate({
      whileRunning: async () => {
        await wasAsked.promise;
        expect(() => takeUpdaterLock(stage.places)).toThrow(
          /another update is running \(post-activate, process/,
        );
        stage.health.answer = () => new Response('ok');
      },
    });
    expect(ended.exitCode).toBe(0);
    takeUpdaterLock(stage.places).release();
  });

  test('waits, and looks only then, while somebody restores or switches slots', async () => {
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

  test('goes on without where none can be made: a boot is no place to insist', async () => {
    stage.remove('run');
    stage.write('run', 'not a folder');
    const ended = await stage.postActivate();
    expect(ended.stderr).toMatch(/Cannot open the lock .*; going on without it/);
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
