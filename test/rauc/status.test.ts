import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { otherSlot, parseStatus, readSlots } from '../../shared/rauc/status.ts';
import { failureOf } from '../support/failure-of.ts';
import { statusJson } from '../support/scene/rauc-status.ts';
import { Scene } from '../support/scene/scene.ts';

let scene: Scene;
beforeEach(() => {
  scene = new Scene();
});
afterEach(() => scene[Symbol.dispose]());

describe('parseStatus()', () => {
  test('reads slots in the order of their names', () => {
    const slots = parseStatus(
      statusJson({
        booted: 'rootfs.1',
        primary: 'rootfs.0',
        bad: ['rootfs.1'],
        versions: { 'rootfs.1': '1.1.0' },
      }),
    );
    expect(slots.compatible).toBe('jetson-nano-homie');
    expect(slots.all).toEqual([
      {
        name: 'rootfs.0',
        class: 'rootfs',
        device: '/dev/disk/by-partlabel/rootfs-a',
        bootname: 'A',
        isBooted: false,
        isGood: true,
        version: undefined,
      },
      {
        name: 'rootfs.1',
        class: 'rootfs',
        device: '/dev/disk/by-partlabel/rootfs-b',
        bootname: 'B',
        isBooted: true,
        isGood: false,
        version: '1.1.0',
      },
    ]);
    expect(slots.booted?.name).toBe('rootfs.1');
    expect(slots.primary?.name).toBe('rootfs.0');
  });

  test('goes by the state where "booted" is a device path', () => {
    const status = { ...JSON.parse(statusJson({ booted: 'rootfs.0' })), booted: '/dev/mmcblk0p2' };
    expect(parseStatus(JSON.stringify(status)).booted?.name).toBe('rootfs.0');
  });

  test('knows neither booted nor primary when RAUC does not', () => {
    const slots = parseStatus(statusJson({ booted: null }));
    expect([slots.booted, slots.primary, otherSlot(slots)]).toEqual([undefined, undefined, undefined]);
  });

  test('takes a slot that is not booted from, and keys it does not know', () => {
    const data = { class: 'data', device: '/dev/d', state: 'active', boot_status: null, bootname: null };
    const json = JSON.stringify({ compatible: 'x', system_version: '9', slots: [{ 'data.0': data }] });
    expect(parseStatus(json).all[0]).toMatchObject({
      name: 'data.0',
      isGood: undefined,
      bootname: undefined,
    });
  });

  test.each(['', 'no JSON', '{}', '[]', '{"compatible":"x","slots":{}}'])(
    'throws when it is %p',
    async (json) => {
      expect((await failureOf(() => parseStatus(json))).message).toBe(
        'Cannot read the slots: RAUC answered in an unknown form',
      );
    },
  );
});

describe('otherSlot()', () => {
  test('is the one of the booted class that is not booted', () => {
    expect(otherSlot(parseStatus(statusJson({ booted: 'rootfs.0' })))?.name).toBe('rootfs.1');
    expect(otherSlot(parseStatus(statusJson({ booted: 'rootfs.1' })))?.name).toBe('rootfs.0');
  });
});

describe('readSlots()', () => {
  test('asks for versions, which only --detailed has', async () => {
    scene.write('rauc-status.json', statusJson({ booted: 'rootfs.0' }));
    expect((await scene.withTools(() => readSlots())).booted?.name).toBe('rootfs.0');
    expect(scene.calls()).toEqual(['rauc status --detailed --output-format=json']);
  });

  test('says that RAUC does not answer when it does not', async () => {
    const failure = await scene.withTools(() => failureOf(() => readSlots()));
    expect(failure.message).toBe('Cannot read the slots: RAUC does not answer');
    expect(failure.advice).toContain('systemctl status rauc');
  });

  test('is busy when RAUC answers that it processes something else', async () => {
    scene.write(
      'fail-rauc-status',
      'Error retrieving slot status via D-Bus: already processing a different method\n',
    );
    const failure = await scene.withTools(() => failureOf(() => readSlots()));
    expect([failure.message, failure.outcome]).toEqual([
      'Cannot read the slots: RAUC is busy with an install',
      'busy',
    ]);
  });
});
