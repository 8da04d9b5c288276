import { afterEach, describe, expect, test } from 'bun:test';
import { probeHealth } from '../../../shared/stack/health/http.ts';

const never = new AbortController().signal;
const servers: Bun.Server<undefined>[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop(true);
});

type Answer = (request: Request) => Response | Promise<Response>;

/** A server that answers so; what it answers with is counted. */
function serve(answer: Answer): { url: string; count: () => number } {
  let requests = 0;
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch: (request) => {
      requests += 1;
      return answer(request);
    },
  });
  servers.push(server);
  return { url: `http://127.0.0.1:${server.port}/health`, count: () => requests };
}

/** A port where nothing listens: one that was just ours. */
async function closedUrl(): Promise<string> {
  const server = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: () => new Response() });
  const url = `http://127.0.0.1:${server.port}/health`;
  await server.stop(true);
  return url;
}

const hanging: Answer = () => new Promise<Response>(() => {});
/** Headers at once, then a body that never ends and hardly comes. */
const stalling: Answer = () =>
  new Response(new ReadableStream({ start: (body) => body.enqueue('x') }), { status: 500 });

async function msOf(work: () => Promise<unknown>): Promise<number> {
  const startMs = performance.now();
  await work();
  return performance.now() - startMs;
}

describe('probeHealth()', () => {
  test.each([200, 204, 299])('is healthy when it answers %d', async (status) => {
    const { url } = serve(() => new Response(null, { status }));
    expect(await probeHealth(url, never)).toEqual({ isHealthy: true });
  });

  test.each([
    [500, 'no database\nand more', 'it answers 500 (no database)'],
    [404, '', 'it answers 404'],
    [503, 'x'.repeat(5_000), `it answers 503 (${'x'.repeat(200)})`],
  ])('says status and first line when it answers %d', async (status, body, reason) => {
    const { url } = serve(() => new Response(body, { status }));
    expect(await probeHealth(url, never)).toEqual({ isHealthy: false, reason });
  });

  test('does not follow a redirect: another place may be healthy', async () => {
    const other = serve(() => new Response('fine'));
    const { url } = serve(() => Response.redirect(other.url, 302));
    expect(await probeHealth(url, never)).toEqual({ isHealthy: false, reason: 'it answers 302' });
    expect(other.count()).toBe(0);
  });

  test('says that nothing answers when the connection is refused', async () => {
    expect(await probeHealth(await closedUrl(), never)).toEqual({
      isHealthy: false,
      reason: 'nothing answers there',
    });
  });

  test.each([
    ['answers nothing', hanging],
    ['stalls after the headers of an error', stalling],
  ])('does not wait longer than it may when it %s', async (_what, answer) => {
    const { url } = serve(answer);
    const waitedMs = await msOf(async () => {
      expect(await probeHealth(url, never, 200)).toEqual({
        isHealthy: false,
        reason: 'it does not answer in time',
      });
    });
    expect(waitedMs).toBeLessThan(2_000);
  });

  test('throws the reason when it is stopped', async () => {
    const { url } = serve(hanging);
    const ending = new AbortController();
    const probe = probeHealth(url, ending.signal);
    ending.abort(new Error('told to end'));
    expect(await probe.catch((error: Error) => error.message)).toBe('told to end');
  });
});
