import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { Failure } from '../../../shared/system/failure.ts';
import { takeInstallLock } from '../../../shared/update/transaction/update-lock.ts';
import { bareDevice, takeUpdaterLock } from '../../support/scene/by-hand.ts';
import { Scene } from '../../support/scene/scene.ts';

let scene: Scene;
beforeEach(() => {
  scene = new Scene();
});
afterEach(() => scene[Symbol.dispose]());

function outcomeOf(work: () => unknown): string | undefined {
  try {
    work();
  } catch (error) {
    if (error instanceof Failure) return error.outcome;
  }
  return undefined;
}

describe('takeInstallLock()', () => {
  test('takes a free lock, and frees it', () => {
    takeInstallLock(bareDevice(scene.places), 'pre-install', '1.1.0').release();
    takeUpdaterLock(scene.places).release();
  });

  test('joins our updater when that installs the same version, and leaves it the lock', () => {
    const updater = takeUpdaterLock(scene.places);
    updater.note('1.1.0');
    takeInstallLock(bareDevice(scene.places), 'pre-install', '1.1.0').release();
    expect(outcomeOf(() => takeUpdaterLock(scene.places))).toBe('busy');
    updater.release();
  });

  test('is busy when our updater installs another version, or has not said which', () => {
    const updater = takeUpdaterLock(scene.places);
    expect(outcomeOf(() => takeInstallLock(bareDevice(scene.places), 'pre-install', '1.1.0'))).toBe('busy');
    updater.note('1.2.0');
    expect(outcomeOf(() => takeInstallLock(bareDevice(scene.places), 'pre-install', '1.1.0'))).toBe('busy');
    updater.release();
  });

  test('is busy when another hook holds it, even for the same version, and names it', () => {
    const other = takeInstallLock(bareDevice(scene.places), 'pre-install', '1.1.0');
    expect(() => takeInstallLock(bareDevice(scene.places), 'post-install', '1.1.0')).toThrow(
      `another update is running (pre-install, process ${process.pid})`,
    );
    other.release();
  });
});
