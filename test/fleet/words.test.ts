import { describe, expect, test } from 'bun:test';
import { attributesOf } from '../../shared/fleet/attributes.ts';
import { isOffer, parseBase, parseDeployment } from '../../shared/fleet/deployment.ts';
import { cancelled, closed, proceeding } from '../../shared/fleet/feedback.ts';
import { afterFailureMs, intervalMs, withJitter } from '../../shared/fleet/polling.ts';
import { parseStatus } from '../../shared/rauc/status.ts';
import { type StatusOptions, statusJson } from '../support/scene/rauc-status.ts';

describe('intervalMs()', () => {
  test.each([
    ['00:05:00', 300_000],
    ['00:00:30', 30_000],
    ['12:00:00', 43_200_000],
    ['00:00:00', 1_000],
    ['999:00:00', 86_400_000],
    ['soon', 300_000],
    ['00:61:00', 300_000],
    [undefined, 300_000],
  ])('of %p is %d ms', (sleep, ms) => {
    expect(intervalMs(sleep)).toBe(ms);
  });
});

describe('withJitter()', () => {
  test.each([
    [0, 90_000],
    [0.5, 100_000],
    [1, 110_000],
  ])('with chance %d', (chance, ms) => {
    expect(withJitter(100_000, chance)).toBe(ms);
  });
});

describe('afterFailureMs()', () => {
  test.each([
    [1, 300_000, 5_000],
    [2, 300_000, 10_000],
    [6, 300_000, 160_000],
    [9, 300_000, 300_000],
    [99, 300_000, 300_000],
    [1, 1_000, 5_000],
    [9, 1_000, 5_000],
  ])('after %d failures, where the server wants %d ms, is %d ms', (failures, interval, ms) => {
    expect(afterFailureMs(failures, interval)).toBe(ms);
  });
});

describe('feedback', () => {
  test('closed() keeps the reason and the end of the log, short, and without secrets', () => {
    const log = Array.from({ length: 50 }, (_, line) => `line ${line} ${'x'.repeat(600)}`);
    const { status } = closed(
      '7',
      { isSuccess: false, reason: 'from https://me:secret@host/ it failed' },
      log,
    );
    expect(status.result).toEqual({ finished: 'failure' });
    expect(status.details).toHaveLength(30);
    expect(status.details[0]).toBe('from https://***@host/ it failed');
    expect(status.details.at(-1)).toStartWith('line 49 ');
    expect(Math.max(...status.details.map((detail) => detail.length))).toBe(500);
  });

  test('closed() has no log where all is well', () => {
    const { status } = closed('7', { isSuccess: true, reason: 'committed' }, ['a line']);
    expect(status).toEqual({ execution: 'closed', result: { finished: 'success' }, details: ['committed'] });
  });

  test('proceeding() has the percent in the form of the API', () => {
    expect(proceeding('7', 'Fetching', 41.6).status.result).toEqual({
      finished: 'none',
      progress: { cnt: 42, of: 100 },
    });
  });

  test('cancelled() confirms, or says why not', () => {
    expect(cancelled('7', { isAccepted: true }).status).toMatchObject({
      execution: 'closed',
      result: { finished: 'success' },
    });
    expect(cancelled('7', { isAccepted: false, reason: 'RAUC writes' }).status).toMatchObject({
      execution: 'rejected',
      details: ['Cannot cancel it any more: RAUC writes'],
    });
  });
});

describe('what the server says', () => {
  const artifact = (filename: string, more: object = {}) => ({
    filename,
    size: 3,
    hashes: { sha1: 'x', sha256: 'A'.repeat(64) },
    _links: { 'download-http': { href: `http://h/${filename}` }, 'md5sum-http': { href: 'http://h/x' } },
    ...more,
  });
  const deployment = (artifacts: object[], more: object = {}) => ({
    id: '7',
    deployment: {
      download: 'attempt',
      update: 'skip',
      chunks: [{ part: 'os', name: 'homie', version: '1.1.0', artifacts }],
      ...more,
    },
  });

  test('parseBase() knows a server that wants nothing', () => {
    expect(parseBase({ config: { polling: { sleep: '00:05:00' } } })).toMatchObject({
      sleep: '00:05:00',
      links: {},
    });
    expect(() => parseBase('no')).toThrow();
    expect(() => parseBase({ _links: { deploymentBase: { href: 5 } } })).toThrow();
  });

  test('parseDeployment() finds the one bundle among other files', () => {
    const answer = deployment([artifact('notes.txt'), artifact('homie.raucb')], {
      maintenanceWindow: 'unavailable',
    });
    expect(parseDeployment(answer)).toEqual({
      actionId: '7',
      download: 'attempt',
      update: 'skip',
      maintenanceWindow: 'unavailable',
      version: '1.1.0',
      artifact: { filename: 'homie.raucb', bytes: 3, sha256: 'a'.repeat(64), url: 'http://h/homie.raucb' },
    });
  });

  test('parseDeployment() prefers https, and needs no checksum', () => {
    const links = { 'download-http': { href: 'http://h/x' }, download: { href: 'https://h/x' } };
    const answer = parseDeployment(deployment([artifact('x.raucb', { hashes: {}, _links: links })]));
    expect(isOffer(answer) && answer.artifact).toMatchObject({ sha256: null, url: 'https://h/x' });
  });

  test.each([
    ['no bundle', [artifact('notes.txt')], 'there is no bundle'],
    [
      'two bundles',
      [artifact('a.raucb'), artifact('b.raucb')],
      'there are several bundles among its artifacts: a.raucb, b.raucb',
    ],
    ['no link', [artifact('a.raucb', { _links: {} })], 'does not say where'],
  ])('parseDeployment() says what cannot be carried out: %s', (_, artifacts, problem) => {
    expect(parseDeployment(deployment(artifacts))).toMatchObject({
      actionId: '7',
      problem: expect.stringContaining(problem),
    });
  });
});

test('attributesOf() tells board, slots, and why the last update ended as it did, in what hawkBit keeps', () => {
  const slots = parseStatus(statusJson({ booted: 'rootfs.0', versions: { 'rootfs.1': '1.1.0' } }));
  const step = {
    state: 'rolled-back',
    at: '2026-01-01T00:00:00Z',
    bootId: 'b',
    slot: null,
    version: '1.1.0',
    reason: 'r'.repeat(300),
  } as const;
  const attributes = attributesOf({
    compatible: 'jetson-nano-homie',
    runningVersion: '1.0.0',
    slots,
    raucVersion: '1.8',
    programVersion: '9.9.9',
    last: {
      format: 1,
      id: 'x',
      from: { version: null, slot: null },
      to: { version: '1.1.0', slot: null },
      steps: [step],
      isClosed: true,
    },
  });
  expect(attributes).toMatchObject({
    board: 'jetson-nano-homie',
    version: '1.0.0',
    'slot.rootfs.0': '1.0.0, booted',
    'slot.rootfs.1': '1.1.0',
    'update.verdict': 'rolled-back',
  });
  expect(attributes['update.reason']).toHaveLength(128);
});

test('attributesOf() tells apart a slot that is spent and one whose boot status is unknown', () => {
  const facts = { compatible: 'x', runningVersion: '1.0.0', raucVersion: '1.16', programVersion: '9.9.9' };
  const slotOf = (status: Partial<StatusOptions>) =>
    attributesOf({
      ...facts,
      slots: parseStatus(statusJson({ booted: 'rootfs.0', ...status })),
      last: undefined,
    })['slot.rootfs.1'];
  expect(slotOf({ bad: ['rootfs.1'] })).toBe('unknown, spent');
  expect(slotOf({ unknown: ['rootfs.1'] })).toBe('unknown, boot status unknown');
});
