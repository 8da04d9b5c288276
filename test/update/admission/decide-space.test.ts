import { describe, expect, test } from 'bun:test';
import { decideSpace, type SpaceNeed } from '../../../shared/update/admission/decide-space.ts';

const need = (
  name: string,
  bytes: number,
  { device = 1, freeBytes = 1000, path = '/data' } = {},
): SpaceNeed => ({
  name,
  path,
  bytes,
  device,
  freeBytes,
});

describe('decideSpace()', () => {
  test.each<[string, SpaceNeed[], string | undefined]>([
    ['nothing is needed', [], undefined],
    ['it just fits', [need('bundle', 600), need('backup', 400)], undefined],
    [
      'each fits on a file system of its own',
      [need('bundle', 900), need('backup', 900, { device: 2 })],
      undefined,
    ],
    [
      'all of it together does not fit',
      [need('bundle', 600), need('backup', 400), need('dump', 1), need('images', 0)],
      'it needs 1001 B on the file system of "/data" (bundle 600 B, backup 400 B, dump 1 B), 1000 B are free',
    ],
    [
      'the second file system is too small',
      [need('bundle', 600), need('backup', 20, { device: 2, freeBytes: 10, path: '/mnt' })],
      'it needs 20 B on the file system of "/mnt" (backup 20 B), 10 B are free',
    ],
    ['nothing is free and nothing needed', [need('bundle', 0, { freeBytes: 0 })], undefined],
  ])('when %s', (_when, needs, reason) => {
    const refusal = decideSpace(needs);
    expect(refusal?.reason).toBe(reason);
    expect(refusal?.outcome).toBe(reason === undefined ? undefined : 'noSpace');
  });
});
