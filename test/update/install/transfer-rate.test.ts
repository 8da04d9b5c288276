import { describe, expect, test } from 'bun:test';
import { bar, TransferRate, transferWords } from '../../../shared/update/install/transfer-rate.ts';

const mebibyte = 1024 * 1024;

describe('TransferRate', () => {
  test('is unknown at first, then that of the last ten seconds', () => {
    const rate = new TransferRate();
    expect(rate.at(0, 0)).toBeUndefined();
    expect(rate.at(400, 1000)).toBeUndefined();
    expect(rate.at(1000, 2000)).toBe(2000);
    expect(rate.at(60_000, 2000)).toBeUndefined();
    expect(rate.at(61_000, 2500)).toBe(500);
  });

  test('is never below zero, when a file is begun anew', () => {
    const rate = new TransferRate();
    rate.at(0, 5000);
    expect(rate.at(1000, 0)).toBe(0);
  });
});

describe('transferWords()', () => {
  test.each([
    [{ bytes: 3 * mebibyte }, '3.0 MiB'],
    [{ bytes: mebibyte, totalBytes: 4 * mebibyte }, '25% of 4.0 MiB'],
    [
      { bytes: mebibyte, totalBytes: 4 * mebibyte, bytesPerSecond: mebibyte },
      '25% of 4.0 MiB, 1.0 MiB/s, 3 s left',
    ],
    [
      { bytes: 0, totalBytes: 600 * mebibyte, bytesPerSecond: mebibyte },
      '0% of 600 MiB, 1.0 MiB/s, 10 min left',
    ],
    [
      { bytes: 0, totalBytes: 1024 * mebibyte, bytesPerSecond: 65_536 },
      '0% of 1.0 GiB, 64.0 KiB/s, 5 h left',
    ],
    [{ bytes: 5, totalBytes: 10, bytesPerSecond: 0 }, '50% of 10 B, 0 B/s'],
    [{ bytes: 10, totalBytes: 10, bytesPerSecond: 5 }, '100% of 10 B, 5 B/s, 0 s left'],
    [{ bytes: 0, totalBytes: 0 }, '0 B'],
  ])('says %j as %s', (transfer, words) => {
    expect(transferWords(transfer)).toBe(words);
  });
});

describe('bar()', () => {
  test.each([
    [0, '----'],
    [50, '##--'],
    [100, '####'],
    [250, '####'],
    [-5, '----'],
  ])('of %d %% is %s', (percent, text) => {
    expect(bar(percent, 4)).toBe(text);
  });
});
