import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { exchange, getOnce, open, postJson } from '../../../shared/transfer/request/http.ts';
import { isOpenToOthers } from '../../../shared/transfer/request/plain-http.ts';
import { failureOf } from '../../support/failure-of.ts';

/** No request sends a secret over plain http, unless the server is on this very device. */

let asked: (string | null)[];
let server: Bun.Server<undefined>;
beforeEach(() => {
  asked = [];
  server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch: ({ headers }) => {
      asked.push(headers.get('authorization'));
      return new Response('{}');
    },
  });
});
afterEach(() => server.stop(true));

/** Answers on this device, by an address that does not look so. */
const elsewhere = (user = '') => `http://${user}0.0.0.0:${server.port}/`;
const here = (user = '') => `http://${user}127.0.0.1:${server.port}/`;
const limits = { timeoutMs: 20_000, maxBytes: 1_000 };
const headers = { Authorization: 'Bearer hunter2' };
const { signal } = new AbortController();

describe.each([
  ['an exchange', (url: string) => exchange(url, { method: 'POST', headers, ...limits })],
  ['a download', (url: string) => open(url, { headers, signal })],
  ['a header in other letters', (url: string) => open(url, { headers: { authorization: 'x' }, signal })],
  ['a webhook', (url: string) => postJson(url.replace('//', '//me:hunter2@'), '{}', 20_000)],
  ['a question', (url: string) => getOnce(url.replace('//', '//me:hunter2@'), limits)],
])('the secret of %s', (_what, ask) => {
  test('stays here, and so does the question', async () => {
    const failure = await failureOf(() => ask(elsewhere()));
    expect(failure.message).toMatch(/^Cannot ask "http:.*": a token or password would go over plain http$/);
    expect([failure.outcome, failure.message.includes('hunter2'), asked]).toEqual(['usage', false, []]);
  });

  test('reaches a server on this device', async () => {
    await ask(here());
    expect(asked).toEqual([expect.any(String)]);
  });
});

test('what holds no secret goes over plain http', async () => {
  expect(await postJson(elsewhere(), '{}', 20_000)).toBe(200);
  expect((await getOnce(elsewhere(), limits)).status).toBe(200);
});

describe('isOpenToOthers()', () => {
  test.each([
    ['http://127.0.0.1:8080/x', false],
    ['http://127.1/x', false],
    ['http://[::1]/x', false],
    ['http://localhost/x', false],
    ['https://example.org/x', false],
    ['http://0.0.0.0/x', true],
    ['http://localhost.example.org/x', true],
    ['http://127.0.0.1.example.org/x', true],
    ['http://192.168.1.2/x', true],
  ])('%s: %p', (url, answer) => expect(isOpenToOthers(url)).toBe(answer));
});
