import { describe, expect, test } from 'bun:test';
import { decideAvailable, type NewsFacts } from '../../../shared/update/install/decide-available.ts';
import { transactionAt } from '../../support/scene/transactions.ts';

const last = {
  format: 1 as const,
  url: 'https://u.example/x',
  etag: '"one"',
  lastModified: null,
  sha256: null,
  bytes: 10,
  version: '1.0.0',
  at: '2026-01-01T00:00:00.000Z',
};
const offered = { kind: 'offered' as const, totalBytes: 10, etag: '"two"', lastModified: null };
const usual: NewsFacts = {
  offer: offered,
  last: undefined,
  latest: { version: '1.1.0' },
  runningVersion: '1.0.0',
  compatible: 'nano',
  transactions: [],
};

describe('decideNews()', () => {
  test.each<[string, Partial<NewsFacts>, boolean | null, string | RegExp]>([
    ['a newer version', {}, true, 'version 1.1.0 is available, 1.0.0 runs'],
    [
      'a release after its candidate',
      { runningVersion: '1.1.0-rc.1' },
      true,
      'version 1.1.0 is available, 1.1.0-rc.1 runs',
    ],
    ['the same version', { runningVersion: '1.1.0' }, false, 'version 1.1.0 runs already'],
    ['the same version of another build', { runningVersion: '1.1.0+7' }, false, 'version 1.1.0 runs already'],
    ['an older version', { runningVersion: '1.2.0' }, false, 'version 1.1.0 is older than 1.2.0, which runs'],
    [
      'the running version is unknown',
      { runningVersion: undefined },
      true,
      /^version 1\.1\.0 is available; the running version is unknown/,
    ],
    [
      'another board',
      { latest: { version: '1.1.0', compatible: 'x' } },
      false,
      'it is for "x", this system is "nano"',
    ],
    [
      'what was rolled back here',
      { transactions: [transactionAt('rolled-back')] },
      false,
      /^version 1\.1\.0 was rolled back here at /,
    ],
    [
      '304 to the last install',
      { offer: { kind: 'unchanged' }, last },
      false,
      /^the server still has version 1\.0\.0, /,
    ],
    [
      'the tag of the last install',
      { offer: { ...offered, etag: '"one"' }, last },
      false,
      /^the server still has version 1\.0\.0, /,
    ],
    ['another file, and its version', { last }, true, 'version 1.1.0 is available, 1.0.0 runs'],
    [
      'another file, of no known version',
      { last, latest: undefined },
      true,
      /^the file has changed since version 1\.0\.0/,
    ],
    [
      'an unknown file',
      { latest: undefined },
      null,
      'there is a bundle, but no latest.json that gives its version (1.0.0 runs)',
    ],
  ])('of %s', (_what, facts, isNewer, reason) => {
    const news = decideAvailable({ ...usual, ...facts });
    expect(news.isNewer).toBe(isNewer);
    expect(news.reason).toMatch(reason);
  });
});
