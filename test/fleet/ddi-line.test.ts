import { describe, expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { defaultConfig } from '../../shared/config/config.ts';
import { DdiLine, DdiRefusal, ddiServerOf } from '../../shared/transfer/request/ddi-line.ts';
import { TempFolder } from '../support/temp-folder.ts';

const fleet = {
  url: 'http://127.0.0.1:1',
  tenant: 'DEFAULT',
  controllerId: undefined,
  targetTokenFile: undefined,
  gatewayTokenFile: undefined,
  consent: 'automatic',
} as const;
const { update } = defaultConfig({ data: '/data', root: '/', run: '/run/homie' });
const signal = new AbortController().signal;

/** A server that answers with these, one after the other. */
function answering(...answers: (Response | (() => Response))[]) {
  const asked: { url: string; authorization: string | null }[] = [];
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    fetch(request) {
      asked.push({ url: request.url, authorization: request.headers.get('authorization') });
      const answer = answers.shift() ?? new Response('{}');
      return answer instanceof Response ? answer : answer();
    },
  });
  const stop = () => void server.stop(true);
  return { asked, url: `http://127.0.0.1:${server.port}`, [Symbol.dispose]: stop };
}

const lineTo = (url: string, more: object = {}) =>
  new DdiLine(ddiServerOf({ ...fleet, url, ...more }, 'board 1', update), signal);

describe('DdiLine', () => {
  test.each([409, 429, 500, 503])('asks again after %d', async (status) => {
    using server = answering(new Response('', { status }), Response.json({ a: 1 }));
    expect(await lineTo(server.url).get()).toEqual({ a: 1 });
    expect(server.asked.map(({ url }) => new URL(url).pathname)).toEqual([
      '/DEFAULT/controller/v1/board%201',
      '/DEFAULT/controller/v1/board%201',
    ]);
  });

  test('comes again when the server says so', async () => {
    using server = answering(
      new Response('', { status: 429, headers: { 'Retry-After': '1' } }),
      Response.json({}),
    );
    const started = performance.now();
    await lineTo(server.url).get();
    expect(performance.now() - started).toBeGreaterThan(990);
  });

  test('leaves a longer wait to the next round', async () => {
    using server = answering(new Response('', { status: 429, headers: { 'Retry-After': '3600' } }));
    expect(lineTo(server.url).get()).rejects.toBeInstanceOf(DdiRefusal);
  });

  test.each([401, 403, 404, 410])('does not ask again after %d', async (status) => {
    using server = answering(new Response('', { status }));
    const error = await lineTo(server.url)
      .get()
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(DdiRefusal);
    expect(error).toMatchObject({ status, outcome: 'tryLater' });
    expect(server.asked).toHaveLength(1);
  });

  test('is told of an answer that is no JSON', async () => {
    using server = answering(new Response('<html>'));
    expect(lineTo(server.url).get()).rejects.toThrow('it does not answer in JSON');
  });

  test('follows links by their path, and no redirect', async () => {
    using server = answering(Response.json({}), Response.redirect('http://127.0.0.1:1/'));
    const line = lineTo(server.url);
    await line.get('http://inside:8080/DEFAULT/controller/v1/x/deploymentBase/7?c=1');
    expect(new URL(server.asked[0]?.url ?? '').href).toBe(
      `${server.url}/DEFAULT/controller/v1/x/deploymentBase/7?c=1`,
    );
    expect(line.get()).rejects.toThrow('it answered 302');
  });

  test.each([
    ['targetTokenFile', 'TargetToken abc'],
    ['gatewayTokenFile', 'GatewayToken abc'],
  ])('sends what %s holds', async (key, header) => {
    using folder = new TempFolder();
    writeFileSync(folder.at('token'), 'abc\n', { mode: 0o600 });
    using server = answering(Response.json({}));
    await lineTo(server.url, { [key]: folder.at('token') }).get();
    expect(server.asked[0]?.authorization).toBe(header);
  });

  test('refuses a token that others may read, two of them, and plain http to elsewhere', () => {
    using folder = new TempFolder();
    writeFileSync(folder.at('open'), 'abc', { mode: 0o644 });
    writeFileSync(folder.at('token'), 'abc', { mode: 0o600 });
    const [open, token] = [folder.at('open'), folder.at('token')];
    const make = (more: object) => () => ddiServerOf({ ...fleet, ...more }, 'x', update);
    expect(make({ targetTokenFile: open })).toThrow(/fleet_target_token_file ".*": others may read it/);
    expect(make({ targetTokenFile: token, gatewayTokenFile: token })).toThrow('a server takes one of them');
    expect(make({ url: 'http://example.org', targetTokenFile: token })).toThrow(
      'a token or password would go over plain http',
    );
    expect(make({ url: 'https://example.org', targetTokenFile: token })).not.toThrow();
  });
});
