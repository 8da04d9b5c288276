import { describe, expect, test } from 'bun:test';
import { pauseBeforeMs, readPullTrouble } from '../../../shared/stack/images/pull-trouble.ts';

const daemon = 'Error response from daemon: ';
const get = `${daemon}Get "https://registry.example/v2/": `;

/** What Docker 20.10 says, and the client of 28; the last ones of each kind by larger registries. */
const heals: [string, string][] = [
  [`${daemon}toomanyrequests`, 'the registry gets too many requests'],
  ['toomanyrequests: toomanyrequests message', 'the registry gets too many requests'],
  [
    'error pulling image configuration: download failed after attempts=1: toomanyrequests: too many',
    'the registry gets too many requests',
  ],
  [
    `${daemon}error parsing HTTP 429 response body: invalid character 's' looking for beginning of value: "slow down"`,
    'the registry gets too many requests',
  ],
  [
    `${daemon}toomanyrequests: You have reached your pull rate limit. You may increase the limit by authenticating`,
    'the registry gets too many requests',
  ],
  [`${get}dial tcp 127.0.0.1:1: connect: connection refused`, 'the registry refuses connections'],
  [`${daemon}Head "http://127.0.0.1:45217/v2/homie/postgres/manifests/15": EOF`, 'the connection broke'],
  ['unexpected EOF', 'the connection broke'],
  ['read tcp 10.0.0.2:1->10.0.0.1:443: read: connection reset by peer', 'the connection broke'],
  [
    `${get}dial tcp: lookup registry.example on 10.0.0.1:53: no such host`,
    'the name of the registry is not known here',
  ],
  [
    `${get}dial tcp: lookup registry.example: Temporary failure in name resolution`,
    'the name of the registry is not known here',
  ],
  [`${get}dial tcp 10.0.0.1:443: connect: network is unreachable`, 'there is no route to the registry'],
  [`${get}dial tcp 10.0.0.1:443: i/o timeout`, 'the registry does not answer in time'],
  [`${get}net/http: TLS handshake timeout`, 'the registry does not answer in time'],
  [
    `${get}net/http: request canceled while waiting for connection (Client.Timeout exceeded while awaiting headers)`,
    'the registry does not answer in time',
  ],
  [`${daemon}received unexpected HTTP status: 500 Internal Server Error`, 'the registry reports an error'],
  [`${daemon}received unexpected HTTP status: 503 Service Unavailable`, 'the registry reports an error'],
  [`${daemon}received unexpected HTTP status: 504 Gateway Timeout`, 'the registry reports an error'],
  [`filesystem layer verification failed for digest sha256:${'e'.repeat(64)}`, 'it arrived damaged'],
  [
    `${get}x509: certificate has expired or is not yet valid: current time 1970-01-01T00:01:02Z is before 2026-01-01T00:00:00Z`,
    'the clock is behind the certificate of the registry',
  ],
  [
    'Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?',
    'the Docker engine does not answer',
  ],
];

const doesNotHeal: [string, string][] = [
  [
    `${daemon}manifest for 127.0.0.1:5000/homie/core:9 not found: manifest unknown: manifest unknown`,
    'the registry does not have it',
  ],
  ['unknown blob', 'the registry does not have it'],
  [
    'error pulling image configuration: download failed after attempts=1: unknown blob',
    'the registry does not have it',
  ],
  [
    `${daemon}failed to resolve reference "r.example/a:1": r.example/a:1: not found`,
    'the registry does not have it',
  ],
  [`${daemon}unauthorized`, 'the registry denies access to it'],
  [
    `${daemon}pull access denied for r.example/a, repository does not exist or may require 'docker login': denied: denied message`,
    'the registry denies access to it',
  ],
  [
    'error parsing HTTP 403 response body: invalid character \'x\' looking for beginning of value: "x"',
    'the registry denies access to it',
  ],
  ['no matching manifest for linux/amd64 in the manifest list entries', 'it is not made for this machine'],
  [`${get}x509: certificate signed by unknown authority`, 'the certificate of the registry is not valid'],
  [
    `${get}x509: certificate has expired or is not yet valid: current time 2036-01-01T00:01:02Z is after 2026-01-01T00:00:00Z`,
    'the certificate of the registry is not valid',
  ],
  [
    'invalid reference format: repository name (library/Bad) must be lowercase',
    'that is no name of an image',
  ],
  [`${daemon}something\nof an unknown kind`, 'of an unknown kind'],
  ['', 'docker does not say why'],
];

describe('readPullTrouble()', () => {
  test.each(heals)('may heal when docker says %j', (stderr, reason) => {
    expect(readPullTrouble({ exitCode: 1, stderr })).toMatchObject({
      reason,
      heals: true,
      outcome: 'tryLater',
    });
  });

  test.each(doesNotHeal)('does not heal when docker says %j', (stderr, reason) => {
    expect(readPullTrouble({ exitCode: 1, stderr })).toMatchObject({
      reason,
      heals: false,
      outcome: 'failed',
    });
  });

  test.each([
    'failed to register layer: Error processing tar file(exit status 1): write /usr/bin/python3.11: no space left on device',
    'write /data/docker/tmp/GetImageBlob123: no space left on device',
    'failed to register layer: write /a: disk quota exceeded',
  ])('is a lack of space when docker says %j', (stderr) => {
    expect(readPullTrouble({ exitCode: 1, stderr })).toEqual({
      reason: 'there is no space left',
      words: stderr,
      heals: false,
      outcome: 'noSpace',
    });
  });

  test('may heal when docker was ended at the deadline of the attempt', () => {
    const trouble = {
      reason: 'it did not end in time',
      words: '',
      heals: true,
      outcome: 'tryLater',
    } as const;
    expect(readPullTrouble({ exitCode: undefined, stderr: '' })).toEqual(trouble);
  });

  test.each([
    ['toomanyrequests: retry-after: 2.5ms, allowed: 44000/minute', 2.5],
    ['toomanyrequests: retry-after: 206.547µs, allowed: 44000/minute', 0.206547],
    ['429 Too Many Requests (Retry-After: 120)', 120_000],
    ['too many requests, retry after 1m30s', 90_000],
  ])('takes the time of the next try from the message %j', (stderr, ms) => {
    expect(readPullTrouble({ exitCode: 1, stderr }).retryAfterMs).toBeCloseTo(ms, 6);
  });
});

describe('pauseBeforeMs()', () => {
  const patience = { firstPauseMs: 1_000, longestPauseMs: 60_000 };
  const trouble = { reason: '', words: '', heals: true, outcome: 'tryLater' } as const;

  test.each([
    [1, 0, 500],
    [1, 1, 1_000],
    [2, 1, 2_000],
    [4, 0, 4_000],
    [7, 1, 60_000],
    [2_000, 1, 60_000],
  ])('grows up to the longest when it is attempt %d and chance %d', (attempt, random, ms) => {
    expect(pauseBeforeMs(attempt, trouble, patience, random)).toBe(ms);
  });

  test.each([
    [1, 0, 90_000],
    [1, 1, 90_500],
    [8, 1, 120_000],
  ])('is never shorter than the registry asks when it is attempt %d and chance %d', (attempt, random, ms) => {
    expect(pauseBeforeMs(attempt, { ...trouble, retryAfterMs: 90_000 }, patience, random)).toBe(ms);
  });
});
