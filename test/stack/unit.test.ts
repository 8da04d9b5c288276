import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { armStartAgain, isUnitActive, reboot, startUnit, stopUnit } from '../../shared/stack/unit.ts';
import { failureOf } from '../support/failure-of.ts';
import { isAlive } from '../support/processes.ts';
import { Scene } from '../support/scene/scene.ts';

let scene: Scene;
beforeEach(() => {
  scene = new Scene();
});
afterEach(() => scene[Symbol.dispose]());

const unit = 'homie-orchestrator';

describe('isUnitActive()', () => {
  test.each([
    ['active', 0, true],
    ['activating', 3, true],
    ['inactive', 3, false],
    ['failed', 3, false],
    ['deactivating', 3, false],
    ['inactive', 4, false],
  ])('when systemctl says "%s" and ends with %d: %p', async (word, exitCode, is) => {
    scene.fake('systemctl', `echo ${word}; exit ${exitCode}`);
    expect(await scene.withTools(() => isUnitActive(unit))).toBe(is);
    expect(scene.calls()).toEqual([`systemctl is-active ${unit}`]);
  });

  test('throws when systemctl cannot say', async () => {
    scene.write('fail-systemctl-is-active', 'Failed to connect to bus\n');
    const failure = await scene.withTools(() => failureOf(() => isUnitActive(unit)));
    expect(failure.message).toBe(
      `Cannot find out whether "${unit}" runs: "systemctl" ended with 1 (Failed to connect to bus)`,
    );
  });
});

describe('stopUnit()', () => {
  test('names the unit and the words of systemctl when it fails', async () => {
    scene.write('fail-systemctl-stop', 'Job canceled.\n');
    const failure = await scene.withTools(() => failureOf(() => stopUnit(unit, 10_000)));
    expect(failure.message).toBe(`Cannot stop "${unit}": "systemctl" ended with 1 (Job canceled.)`);
  });

  test('ends a stop that hangs at its deadline, leaving no child', async () => {
    scene.write('hang-systemctl-stop', '');
    const failure = await scene.withTools(() => failureOf(() => stopUnit(unit, 300)));
    expect(failure.message).toBe(`Cannot stop "${unit}": "systemctl" did not end within 0.3 s`);
    expect(isAlive(Number(scene.read('hanging')))).toBe(false);
  });
});

describe('startUnit()', () => {
  test('does not wait, for the unit may be ordered after us', async () => {
    await scene.withTools(() => startUnit(unit));
    expect(scene.calls()).toEqual([`systemctl start --no-block ${unit}`]);
  });

  test('says what to run by hand when it fails', async () => {
    scene.write('fail-systemctl-start', 'no such unit\n');
    const failure = await scene.withTools(() => failureOf(() => startUnit(unit)));
    expect(failure.advice).toBe(`Run "systemctl start ${unit}"`);
  });
});

describe('armStartAgain()', () => {
  test('arms a timer of its own that starts the unit, and disarms it', async () => {
    await scene.withTools(async () => {
      const disarm = await armStartAgain(unit, { afterSeconds: 960 });
      await disarm();
    });
    const timer = `homie-start-again-${process.pid}`;
    expect(scene.calls()).toEqual([
      `systemd-run --quiet --collect --unit=${timer} --on-active=960 -- systemctl start --no-block ${unit}`,
      `systemctl stop ${timer}.timer`,
    ]);
  });

  test('throws when the timer cannot be armed', async () => {
    scene.fake('systemd-run', 'echo "Failed to start transient timer unit" >&2; exit 1');
    const failure = await scene.withTools(() => failureOf(() => armStartAgain(unit, { afterSeconds: 960 })));
    expect(failure.message).toStartWith(
      `Cannot set the timer that starts "${unit}" again: "systemd-run" ended`,
    );
    expect(failure.advice).toContain('not stopped');
  });
});

describe('reboot()', () => {
  test('asks systemd without waiting for it', async () => {
    await scene.withTools(() => reboot());
    expect(scene.calls()).toEqual(['systemctl --no-block reboot']);
  });
});
