import { describe, expect, test } from 'bun:test';
import { localIso, localText } from '../../../shared/update/schedule/local-text.ts';

describe('localText() and localIso()', () => {
  test.each<[at: string, timeZone: string, text: string, iso: string]>([
    ['2026-01-02T03:04:05.678Z', 'UTC', 'Fri 2026-01-02 03:04 UTC (+00:00)', '2026-01-02T03:04:05+00:00'],
    // The same hour twice, when the clocks go back.
    [
      '2026-10-25T00:30:00Z',
      'Europe/Berlin',
      'Sun 2026-10-25 02:30 Europe/Berlin (+02:00)',
      '2026-10-25T02:30:00+02:00',
    ],
    [
      '2026-10-25T01:30:00Z',
      'Europe/Berlin',
      'Sun 2026-10-25 02:30 Europe/Berlin (+01:00)',
      '2026-10-25T02:30:00+01:00',
    ],
    // Another day there.
    [
      '2026-07-01T02:00:00Z',
      'America/New_York',
      'Tue 2026-06-30 22:00 America/New_York (-04:00)',
      '2026-06-30T22:00:00-04:00',
    ],
    [
      '2026-01-01T00:00:00Z',
      'Asia/Kathmandu',
      'Thu 2026-01-01 05:45 Asia/Kathmandu (+05:45)',
      '2026-01-01T05:45:00+05:45',
    ],
    [
      '2026-01-01T12:00:00Z',
      'America/St_Johns',
      'Thu 2026-01-01 08:30 America/St_Johns (-03:30)',
      '2026-01-01T08:30:00-03:30',
    ],
  ])('%s in %s', (at, timeZone, text, iso) => {
    expect(localText(new Date(at), timeZone)).toBe(text);
    expect(localIso(new Date(at), timeZone)).toBe(iso);
    expect(new Date(iso).getTime()).toBe(Math.floor(Date.parse(at) / 1000) * 1000);
  });

  test('the zone is named by the system where none is given', () => {
    const { timeZone } = new Intl.DateTimeFormat().resolvedOptions();
    expect(localText(new Date(0), undefined)).toBe(localText(new Date(0), timeZone));
  });
});
