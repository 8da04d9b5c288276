import { describe, expect, test } from 'bun:test';
import { readHookEnvironment, slotMountOf } from '../../shared/rauc/hook-environment.ts';
import { failureOf } from '../support/failure-of.ts';

const slotHook = {
  RAUC_BUNDLE_MOUNT_POINT: '/run/rauc/bundle',
  RAUC_MOUNT_PREFIX: '/elsewhere',
  RAUC_SLOT_MOUNT_POINT: '/run/rauc/rootfs.1',
  RAUC_SLOT_NAME: 'rootfs.1',
  RAUC_SLOT_BOOTNAME: 'B',
  RAUC_SYSTEM_COMPATIBLE: 'jetson-nano-homie',
};

describe('readHookEnvironment()', () => {
  test('reads what RAUC tells a slot hook', () => {
    expect(readHookEnvironment({}, slotHook)).toEqual({
      bundle: '/run/rauc/bundle',
      slotMount: '/run/rauc/rootfs.1',
      slotName: 'rootfs.1',
      bootname: 'B',
      systemCompatible: 'jetson-nano-homie',
      isCalledByRauc: true,
    });
  });

  test('finds the bundle below the mount prefix, all that install-check is told', () => {
    const env = { RAUC_MOUNT_PREFIX: '/run/rauc/', RAUC_SYSTEM_COMPATIBLE: 'x' };
    expect(readHookEnvironment({}, env)).toMatchObject({ bundle: '/run/rauc/bundle', slotMount: undefined });
  });

  test('takes an option before a variable', () => {
    expect(readHookEnvironment({ bundle: '/mnt', slotMount: '/slot' }, slotHook)).toMatchObject({
      bundle: '/mnt',
      slotMount: '/slot',
    });
  });

  test('knows that a person calls when RAUC names no system', () => {
    expect(readHookEnvironment({ bundle: '/mnt' }, {}).isCalledByRauc).toBe(false);
  });

  test('throws a usage Failure naming variable and option when the bundle is not given', async () => {
    const failure = await failureOf(() => readHookEnvironment({}, {}));
    expect(failure.outcome).toBe('usage');
    expect(failure.message).toContain('RAUC_BUNDLE_MOUNT_POINT is not set');
    expect(failure.advice).toContain('--bundle DIR');
  });
});

describe('slotMountOf()', () => {
  test('throws a usage Failure naming variable and option when the slot is not given', async () => {
    expect(slotMountOf(readHookEnvironment({}, slotHook))).toBe('/run/rauc/rootfs.1');
    const failure = await failureOf(() => slotMountOf(readHookEnvironment({ bundle: '/mnt' }, {})));
    expect(failure.outcome).toBe('usage');
    expect(failure.message).toContain('RAUC_SLOT_MOUNT_POINT is not set');
    expect(failure.advice).toContain('--slot-mount DIR');
  });
});
