import { describe, expect, test } from 'bun:test';
import {
  type CardFacts,
  decideCard,
  parseLsblk,
  requireCard,
} from '../../../shared/packaging/disk-image/card.ts';
import { failureOf } from '../../support/failure-of.ts';

const gib = 1024 ** 3;

function facts(disk: Partial<CardFacts['disk']> = {}, more: Partial<CardFacts> = {}): CardFacts {
  const card = {
    path: '/dev/sdx',
    type: 'disk',
    size: 64 * gib,
    rm: true,
    hotplug: true,
    ro: false,
    mountpoints: [],
  };
  return { disk: { ...card, ...disk }, mounted: [], isEmmc: false, ...more };
}

describe('decideCard()', () => {
  const table: [what: string, facts: CardFacts, reason: string | undefined][] = [
    ['a card in a reader', facts(), undefined],
    ['a stick that says it is not removable', facts({ rm: false }), undefined],
    ['a card in a slot of the machine', facts({ rm: false, path: '/dev/mmcblk0' }), undefined],
    ['exactly as large as the image', facts({ size: 32 * gib }), undefined],
    ['a fixed disk', facts({ rm: false, hotplug: false }), 'it is a fixed disk of this machine'],
    ['an eMMC', facts({ rm: false }, { isEmmc: true }), 'it is an eMMC of this machine'],
    ['a partition', facts({ type: 'part' }), 'it is a part, and not a whole disk'],
    ['a loop device', facts({ type: 'loop', rm: false }), 'it is a loop, and not a whole disk'],
    [
      'a card in use',
      facts({}, { mounted: ['/media/a', '/media/b'] }),
      'it is in use, mounted at /media/a, /media/b',
    ],
    [
      'the disk of the system',
      facts({ rm: false, hotplug: false }, { mounted: ['/'] }),
      'it is in use, mounted at /',
    ],
    ['a locked card', facts({ ro: true }), 'it is write-protected'],
    ['a small card', facts({ size: 16 * gib }), 'it has 16.0 GiB, the image needs 32.0 GiB'],
  ];
  test.each(table)('answers for %s', (_what, card, reason) => {
    expect(decideCard(card, 32 * gib)).toBe(reason);
  });
});

describe('parseLsblk()', () => {
  test('finds what is mounted on partitions, and on what is made of those', () => {
    const node = (
      path: string,
      type: string,
      mountpoints: (string | null)[],
      children?: object[],
    ): object => ({
      ...{ path, type, size: gib, rm: true, hotplug: true, ro: false, mountpoints },
      ...(children === undefined ? {} : { children }),
    });
    const mapper = node('/dev/mapper/x', 'crypt', ['/secret']);
    const disk = node(
      '/dev/sdb',
      'disk',
      [null],
      [node('/dev/sdb1', 'part', ['/a', '[SWAP]']), node('/dev/sdb2', 'part', [null], [mapper])],
    );
    const read = parseLsblk(JSON.stringify({ blockdevices: [disk] }), false);
    expect(read.disk.path).toBe('/dev/sdb');
    expect(read.mounted).toEqual(['/a', '[SWAP]', '/secret']);
  });
});

describe('requireCard()', () => {
  test('refuses the disk that this machine runs from', async () => {
    const { stdout } = Bun.spawnSync(['findmnt', '--noheadings', '--output', 'SOURCE', '/']);
    const source = stdout.toString().trim();
    const failure = await failureOf(() => requireCard(source.startsWith('/dev/') ? source : '/dev/loop0', 1));
    expect(failure.message).toStartWith('Cannot write the image to "/dev/');
    expect(failure.outcome).toBe('usage');
  });

  test.each(['/dev/no-such-disk', '/dev/null', '/etc/passwd', '--help'])('refuses %s', async (device) => {
    const failure = await failureOf(() => requireCard(device, 1));
    expect(failure.message).toStartWith(`Cannot write the image to "${device}": `);
    expect(failure.outcome).toBe('usage');
  });
});
