import { describe, expect, test } from 'bun:test';
import { belowFloor, parseLcov, shareOf } from './lcov.ts';

const report = `TN:
SF:shared/update/boot/decide-boot.ts
DA:1,3
LF:10
LH:9
end_of_record
TN:
SF:shared/update/admission/decide-space.ts
LF:10
LH:8
end_of_record
`;

describe('parseLcov()', () => {
  test('reads lines and hits of every file', () => {
    expect(parseLcov(report)).toEqual([
      { path: 'shared/update/boot/decide-boot.ts', lines: 10, hit: 9 },
      { path: 'shared/update/admission/decide-space.ts', lines: 10, hit: 8 },
    ]);
  });
});

describe('belowFloor()', () => {
  test('names what is under it, and what was never loaded', () => {
    const wanted = [
      'shared/update/boot/decide-boot.ts',
      'shared/update/admission/decide-space.ts',
      'shared/update/new.ts',
    ];
    expect(belowFloor(wanted, parseLcov(report), 90)).toEqual([
      'shared/update/admission/decide-space.ts',
      'shared/update/new.ts',
    ]);
  });
});

describe('shareOf()', () => {
  test('is whole where there is no line to run', () => {
    expect(shareOf({ lines: 0, hit: 0 })).toBe(100);
  });
});
