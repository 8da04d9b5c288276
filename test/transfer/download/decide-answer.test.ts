import { describe, expect, test } from 'bun:test';
import {
  type Ask,
  type Decision,
  decideAnswer,
  findPage,
  type Known,
} from '../../../shared/transfer/download/decide-answer.ts';

const first: Ask = { kind: 'range', from: 0, bytes: 100 };
const next: Ask = { kind: 'range', from: 100, bytes: 100 };
const whole: Ask = { kind: 'whole' };
const known: Known = { etag: '"a"', lastModified: null, totalBytes: 250 };
const now = new Date('2026-01-02T03:04:05Z');

function decide(
  ask: Ask,
  status: number,
  headers: Record<string, string>,
  of: Known | undefined = ask === next ? known : undefined,
): Decision {
  return decideAnswer(ask, of, { status, headers: new Headers(headers), now });
}

const piece = (range: string, more: Record<string, string> = {}): Record<string, string> => ({
  'Content-Range': `bytes ${range}`,
  ETag: '"a"',
  ...more,
});

describe('decideAnswer()', () => {
  const taken: [string, Ask, number, Record<string, string>, Partial<Decision>][] = [
    [
      'the first piece',
      first,
      206,
      piece('0-99/250'),
      { kind: 'piece', bytes: 100, totalBytes: 250, etag: '"a"' },
    ],
    [
      'the next piece',
      next,
      206,
      piece('100-199/250', { 'Content-Length': '100' }),
      { kind: 'piece', bytes: 100 },
    ],
    ['a piece that is shorter than asked for', next, 206, piece('100-149/250'), { kind: 'piece', bytes: 50 }],
    [
      'the last piece',
      { kind: 'range', from: 200, bytes: 50 },
      206,
      piece('200-249/250'),
      { kind: 'piece', bytes: 50 },
    ],
    [
      'a piece without the tag that is known',
      next,
      206,
      { 'Content-Range': 'bytes 100-199/250', 'Last-Modified': 'x' },
      { kind: 'piece', bytes: 100 },
    ],
    [
      'all of it to the first question',
      first,
      200,
      { 'Content-Length': '250' },
      { kind: 'whole', totalBytes: 250, etag: null },
    ],
    ['all of it, where that was asked for', whole, 200, {}, { kind: 'whole', totalBytes: undefined }],
    [
      'a length that is no number as none',
      whole,
      200,
      { 'Content-Length': '-1' },
      { kind: 'whole', totalBytes: undefined },
    ],
    [
      'all of another file as its change',
      next,
      200,
      { ETag: '"b"', 'Content-Length': '9' },
      { kind: 'anew', reason: 'the file on the server has changed' },
    ],
    [
      'all of the same file as the end of pieces',
      next,
      200,
      { ETag: '"a"' },
      { kind: 'no-range', reason: 'it no longer answers with the requested range' },
    ],
    [
      'a piece of another file as its change',
      next,
      206,
      piece('100-199/250', { ETag: '"b"' }),
      { kind: 'anew' },
    ],
    [
      'another length as a change',
      next,
      206,
      piece('100-199/251'),
      { kind: 'anew', reason: 'the file had 250 bytes, now it has 251' },
    ],
    [
      'another piece as no piece',
      next,
      206,
      piece('0-99/250'),
      { kind: 'no-range', reason: 'it answered with another piece (0-99/250) than bytes from 100' },
    ],
    ['a longer piece as no piece', next, 206, piece('100-249/250'), { kind: 'no-range' }],
    [
      'a length that is not that of the range as no piece',
      next,
      206,
      piece('100-199/250', { 'Content-Length': '99' }),
      { kind: 'no-range' },
    ],
    [
      'several pieces as no piece',
      next,
      206,
      { 'Content-Type': 'multipart/byteranges', ETag: '"a"' },
      { kind: 'no-range', reason: 'its answer does not say which piece it is' },
    ],
    [
      'a unit that is not bytes as no piece',
      next,
      206,
      { 'Content-Range': 'lines 100-199/250', ETag: '"a"' },
      { kind: 'no-range' },
    ],
    [
      'a piece without a proof that it belongs to the others as no piece',
      first,
      206,
      { 'Content-Range': 'bytes 0-99/250' },
      { kind: 'no-range' },
    ],
    [
      '416 at the end as the end',
      { kind: 'range', from: 250, bytes: 100 },
      416,
      { 'Content-Range': 'bytes */250' },
      { kind: 'anew' },
    ],
    [
      '416 in the middle as a change',
      next,
      416,
      { 'Content-Range': 'bytes */90' },
      { kind: 'anew', reason: 'the file on the server has become shorter' },
    ],
    ['416 at the beginning as no piece', first, 416, {}, { kind: 'no-range' }],
    [
      '416 of an empty file as that',
      first,
      416,
      { 'Content-Range': 'bytes */0' },
      { kind: 'give-up', reason: 'the file is empty' },
    ],
    [
      '429 with seconds',
      first,
      429,
      { 'Retry-After': '7' },
      { kind: 'again', reason: 'it answered 429', afterMs: 7000 },
    ],
    [
      '503 with a date',
      first,
      503,
      { 'Retry-After': 'Fri, 02 Jan 2026 03:05:05 GMT' },
      { kind: 'again', afterMs: 60_000 },
    ],
    [
      '503 with a date that is over',
      first,
      503,
      { 'Retry-After': 'Fri, 02 Jan 2026 03:00:00 GMT' },
      { kind: 'again', afterMs: 0 },
    ],
    ['500 with nonsense', first, 500, { 'Retry-After': 'soon' }, { kind: 'again', afterMs: undefined }],
    ['408 as passing', first, 408, {}, { kind: 'again' }],
    ['401 as lasting', first, 401, {}, { kind: 'give-up', outcome: 'failed' }],
    ['404 as lasting', first, 404, {}, { kind: 'give-up', outcome: 'failed' }],
    ['418 as an unknown status', first, 418, {}, { kind: 'give-up', outcome: 'tryLater' }],
    ['304 without a condition', first, 304, {}, { kind: 'give-up', outcome: 'tryLater' }],
    [
      'a page, in any case',
      first,
      200,
      { 'Content-Type': 'Text/HTML; charset=x' },
      { kind: 'give-up', outcome: 'tryLater' },
    ],
    [
      'a page in a piece',
      next,
      206,
      piece('100-199/250', { 'Content-Type': 'text/html' }),
      { kind: 'give-up' },
    ],
    [
      'a compressed piece',
      next,
      206,
      piece('100-199/250', { 'Content-Encoding': 'br' }),
      { kind: 'give-up' },
    ],
    ['an encoding that is none', whole, 200, { 'Content-Encoding': 'identity' }, { kind: 'whole' }],
  ];
  test.each(taken)('takes %s', (_what, ask, status, headers, decision) => {
    expect(decide(ask, status, headers)).toMatchObject(decision);
  });
});

describe('findPage()', () => {
  test.each(['<!DOCTYPE html>', '\ufeff\n  <html>', '<?xml version="1.0"?>', '<HEAD>', '<!-- x -->'])(
    'finds %j',
    (text) => {
      expect(findPage(Buffer.from(text))).toMatchObject({ kind: 'give-up', outcome: 'tryLater' });
    },
  );

  test.each([Buffer.from('hsqs'), Buffer.from('<3 is no page'), Buffer.alloc(300), Buffer.alloc(0)])(
    'is silent at what is no page: %#',
    (bytes) => {
      expect(findPage(bytes)).toBeUndefined();
    },
  );
});
