import { describe, expect, test } from 'bun:test';
import {
  bootId,
  configFileOf,
  findPlaces,
  lockFileOf,
  logFileOf,
  updateFolderOf,
} from '../../shared/system/places.ts';

describe('findPlaces()', () => {
  test.each([
    ['nothing is given', {}, {}, { data: '/data', root: '/', run: '/run/homie' }],
    [
      'the environment moves them',
      {},
      { HOMIE_DATA: '/a', HOMIE_ROOT: '/b', HOMIE_RUN: '/c' },
      { data: '/a', root: '/b', run: '/c' },
    ],
    [
      'the option goes before the environment',
      { data: '/d' },
      { HOMIE_DATA: '/a' },
      { data: '/d', root: '/', run: '/run/homie' },
    ],
  ])('finds them when %s', (_when, given, env, places) => {
    expect(findPlaces(given, env)).toEqual(places);
  });
});

describe('the files of the places', () => {
  test('lie where the guide says', () => {
    const places = findPlaces({}, {});
    expect(configFileOf(places)).toBe('/data/config/orchestrator.yaml');
    expect(logFileOf(places)).toBe('/data/logs/update.log');
    expect(lockFileOf(places)).toBe('/run/homie/update.lock');
    expect(updateFolderOf(places)).toBe('/data/update');
  });
});

describe('bootId()', () => {
  test("is the kernel's, else what the environment says", () => {
    expect(bootId({})).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    expect(bootId({ HOMIE_BOOT_ID: 'x' })).toBe('x');
  });
});
