import { afterEach, describe, expect, test } from 'bun:test';
import { getOnce } from '../../../shared/transfer/request/http.ts';
import { noProxyFor } from '../../../shared/transfer/request/no-proxy.ts';

const servers: Bun.Server<undefined>[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop(true);
});

function serve(answer: (request: Request) => Response | Promise<Response>): string {
  const server = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: answer });
  servers.push(server);
  return `http://127.0.0.1:${server.port}/`;
}

const limits = { timeoutMs: 20_000, maxBytes: 1_000 };

describe('getOnce()', () => {
  test('returns status and body, with any status', async () => {
    const url = serve(() => new Response('no database', { status: 503 }));
    expect(await getOnce(url, limits)).toEqual({ status: 503, body: 'no database' });
  });

  test('asks this device directly when the environment names a proxy', async () => {
    const proxy = serve(() => new Response('the proxy', { status: 503 }));
    const url = serve(() => new Response('the device'));
    const names = ['http_proxy', 'no_proxy', 'NO_PROXY'] as const;
    const before = names.map((name) => process.env[name]);
    process.env['http_proxy'] = proxy;
    for (const name of ['no_proxy', 'NO_PROXY']) delete process.env[name];
    try {
      expect(await getOnce(url, limits)).toEqual({ status: 200, body: 'the device' });
      expect((await getOnce('http://updates.example/', limits)).body).toBe('the proxy');
    } finally {
      for (const [index, name] of names.entries()) {
        const value = before[index];
        if (value === undefined) delete process.env[name];
        else process.env[name] = value;
      }
    }
  });

  test.each([
    ['http://localhost:1/', '', 'localhost'],
    ['http://[::1]/', 'a', 'a,[::1],::1'],
    ['http://169.254.1.2/', '', '169.254.1.2'],
    ['http://[fe80::1]/', '', '[fe80::1],fe80::1'],
    ['http://127.0.0.1/', 'b, 127.0.0.1', undefined],
    ['http://127.0.0.1.example/', '', undefined],
    ['https://updates.example/', 'x', undefined],
  ])('noProxyFor() keeps what is near from a proxy: %s, "%s"', (url, noProxy, expected) => {
    expect(noProxyFor(url, noProxy)).toBe(expected);
  });

  test('answers with an empty body when there is none', async () => {
    const url = serve(() => new Response(null, { status: 204 }));
    expect(await getOnce(url, limits)).toEqual({ status: 204, body: '' });
  });

  test('cuts an endless body at maxBytes, and hangs up', async () => {
    const closed = Promise.withResolvers<string>();
    const url = serve(
      () =>
        new Response(
          new ReadableStream({
            pull: async (body) => {
              await Bun.sleep(0);
              body.enqueue('x'.repeat(600));
            },
            cancel: () => closed.resolve('hung up'),
          }),
        ),
    );
    expect((await getOnce(url, limits)).body).toBe('x'.repeat(1_000));
    expect(await closed.promise).toBe('hung up');
  });

  test('asks once, even when the answer is one that ky would ask again for', async () => {
    let asked = 0;
    const url = serve(() => {
      asked += 1;
      return new Response('', { status: 503, headers: { 'Retry-After': '0' } });
    });
    await getOnce(url, limits);
    expect(asked).toBe(1);
  });

  test('throws a TimeoutError when the body does not end in time, without a signal of the caller', async () => {
    const url = serve(() => new Response(new ReadableStream({ start: (body) => body.enqueue('x') })));
    const error = await getOnce(url, { ...limits, timeoutMs: 200 }).catch((reason: unknown) => reason);
    expect(error).toHaveProperty('name', 'TimeoutError');
  });

  test('throws when the caller ends it', async () => {
    const ending = new AbortController();
    const url = serve(() => {
      ending.abort(new Error('told to end'));
      return new Promise<Response>(() => {});
    });
    const error = await getOnce(url, { ...limits, signal: ending.signal }).catch((reason: unknown) => reason);
    expect(String(error)).toContain('told to end');
  });
});
