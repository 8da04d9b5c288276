import { describe, expect, test } from 'bun:test';
import { parseLastError } from '../../../shared/rauc/last-error.ts';
import { findDirectRefusal } from '../../../shared/update/admission/rauc-refusal.ts';
import type { LoggedRefusal } from '../../../shared/update/admission/refusal-log.ts';
import { allOutputs } from '../../support/rauc/outputs.ts';

const now = new Date('2026-01-02T03:04:05Z');
const words = 'signature verification failed: Verify error: self-signed certificate';

describe('parseLastError()', () => {
  test.each<[answer: string, text: string | undefined]>([
    ['s ""\n', undefined],
    ['(st) "" 0\n', undefined],
    [`s "${words}"\n`, words],
    ['s "Failed to open \\"x\\"\\nand so on"\n', 'Failed to open "x" and so on'],
  ])('%j is %p', (answer, text) => {
    expect(parseLastError(answer)).toBe(text);
  });
});

/** What each install left, and whether it is a refused signature. */
const left: Record<string, [text: string | undefined, isSignature: boolean]> = {
  none: [undefined, false],
  'handler-refuses': ['Pre-install handler error: Child process exited with code 10', false],
  'web-page': ['Invalid bundle format: Signature size (66000) exceeds bundle size', false],
  'flipped-byte': ['signature verification failed: error:1700009E:CMS routines::verification failure', true],
};

describe('the LastError of real RAUCs, as the real busctl printed it,', () => {
  test.each(allOutputs('last-error'))(
    'is read, and only a signature is noted: $version, $name',
    ({ name, output }) => {
      const text = parseLastError(output.stdout);
      const found = findDirectRefusal(text, { refusals: [], bootId: 'this', now });
      expect<unknown>([text, found !== undefined]).toEqual(left[name]);
    },
  );
});

describe('findDirectRefusal()', () => {
  const noted = (change: Partial<LoggedRefusal>): LoggedRefusal => ({
    format: 1,
    at: '2026-01-02T03:00:00Z',
    bootId: 'this',
    outcome: 'signature',
    source: '/media/stick/x.raucb',
    version: null,
    reason: `Cannot verify "x": ${words}`,
    ...change,
  });

  test.each<[what: string, lastError: string | undefined, refusals: LoggedRefusal[], isFound: boolean]>([
    ['nothing went wrong', undefined, [], false],
    ['it is about something else', 'Failed mounting bundle: no loop device', [], false],
    ['it is no bundle', 'Invalid bundle format: Signature size (7222) exceeds bundle size', [], false],
    ['the keyring is missing', "failed to load CA file '/etc/certificate.pem'", [], false],
    ['this RAUC does not know a key', "Failed to load manifest: Invalid key 'signature'", [], false],
    ['it is not noted', words, [], true],
    ['one of ours has noted it in this boot', words, [noted({})], false],
    ['it was noted in another boot', words, [noted({ bootId: 'before' })], true],
    ['another was noted in this boot', words, [noted({ reason: 'certificate has expired' })], true],
  ])('when %s', (_what, lastError, refusals, isFound) => {
    const found = findDirectRefusal(lastError, { refusals, bootId: 'this', now });
    expect(found?.reason).toBe(isFound ? words : undefined);
  });
});
