import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { type BootStatus, otherSlot, parseStatus, readSlots } from '../../shared/rauc/status.ts';
import { failureOf } from '../support/failure-of.ts';
import { allOutputs, recordedOutputs, recordedVersions } from '../support/rauc/outputs.ts';
import { type StatusOptions, statusJson } from '../support/scene/rauc-status.ts';
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
        bootStatus: 'good',
        version: undefined,
      },
      {
        name: 'rootfs.1',
        class: 'rootfs',
        device: '/dev/disk/by-partlabel/rootfs-b',
        bootname: 'B',
        isBooted: true,
        bootStatus: 'bad',
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
      bootStatus: undefined,
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

const both = ['rootfs.0', 'rootfs.1'];

describe('parseStatus() of what real RAUCs printed', () => {
  test.each(allOutputs('status').filter(({ output }) => output.exitCode === 0))(
    '$version, $name',
    ({ name, output: { stdout, stderr } }) => {
      const { all, booted, primary } = parseStatus(stdout, stderr);
      const [a, b] = all.map(({ bootStatus }) => bootStatus);
      expect([booted?.name, primary?.name, a, b]).toEqual(realAnswers[name] ?? []);
    },
  );
});

const realAnswers: Record<string, (string | undefined)[]> = {
  healthy: ['rootfs.0', 'rootfs.0', 'good', 'good'],
  'other-spent': ['rootfs.0', 'rootfs.0', 'good', 'bad'],
  'all-spent': ['rootfs.0', undefined, 'bad', 'bad'],
  'environment-unreadable': ['rootfs.0', undefined, 'unknown', 'unknown'],
  installed: ['rootfs.0', 'rootfs.1', 'good', 'good'],
};

/** RAUC 1.16 says it in the answer itself, the earlier ones in a warning beside an answer that is not true. */
describe('an unknown boot status', () => {
  test.each<[when: string, status: StatusOptions, warnings: string, expected: BootStatus[]]>([
    ['RAUC says so', { booted: 'rootfs.0', unknown: both }, '', ['unknown', 'unknown']],
    ['RAUC says so of one slot', { booted: 'rootfs.0', unknown: ['rootfs.1'] }, '', ['good', 'unknown']],
    [
      'RAUC warns that it cannot read',
      { booted: 'rootfs.0', primary: null, bad: both },
      'rauc-WARNING **: Failed getting primary slot: uboot backend: fw_printenv failed with exit code: 247',
      ['unknown', 'unknown'],
    ],
    [
      'RAUC has read that there is no primary slot',
      { booted: 'rootfs.0', primary: null, bad: both },
      'rauc-WARNING **: Failed getting primary slot: uboot backend: Unable to find primary boot slot',
      ['bad', 'bad'],
    ],
  ])('when %s', (_when, status, warnings, expected) => {
    const slots = parseStatus(statusJson(status), warnings);
    expect(slots.all.map(({ bootStatus }) => bootStatus)).toEqual(expected);
  });

  test('is a word that a later RAUC may say', () => {
    const json = statusJson({ booted: 'rootfs.0' }).replaceAll('"good"', '"locked"');
    expect(parseStatus(json).booted?.bootStatus).toBe('unknown');
  });
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

  test.each(recordedVersions())(
    'is busy when RAUC %s answers that it processes something else',
    async (version) => {
      scene.write('fail-rauc-status', recordedOutputs(version, 'status')['busy']?.stderr ?? '');
      const failure = await scene.withTools(() => failureOf(() => readSlots()));
      expect([failure.message, failure.outcome]).toEqual([
        'Cannot read the slots: RAUC is busy with an install',
        'busy',
      ]);
    },
  );
});
