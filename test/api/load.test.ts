import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { mostReaders } from '../../shared/api/events.ts';
import { routes } from '../../shared/api/routes.ts';
import { removeReport, writeReport } from '../support/report/report.ts';
import { treeOf } from '../support/scene/scene.ts';
import { ApiStage, api, type Service } from '../support/servers/api-stage.ts';
import { rawRequest } from '../support/servers/raw-request.ts';

/** Many requests at once, with any bytes: never a 500, never a path outside, never a second install. */

let stage: ApiStage;
let service: Service;
beforeAll(async () => {
  removeReport('api');
  stage = new ApiStage();
  stage.write('secret.raucb', 'not ours to install');
  service = await stage.serve();
});
afterAll(() => stage[Symbol.asyncDispose]());

const clients = 200;
const good = { path: 'new.raucb' };

describe('the API under 200 clients at once', () => {
  test('answers each, asks RAUC once for all, and installs once', async () => {
    stage.holdInstall();
    const started = performance.now();
    const work = Array.from({ length: clients }, async (_, index) => {
      const asked = performance.now();
      const answer = await [
        () => service.get(`${api}/status`),
        () => service.post(`${api}/install`, good),
        () => service.get('/'),
        () => service.get(`${api}/history`),
        () => service.get('/health'),
      ][index % 5]?.();
      await answer?.arrayBuffer();
      return { status: answer?.status ?? 0, ms: performance.now() - asked };
    });
    const answers = await Promise.all(work);
    const totalMs = performance.now() - started;
    const counts = Map.groupBy(answers, ({ status }) => status);
    expect([...counts].map(([status, all]) => [status, all.length]).sort()).toEqual([
      [200, (clients / 5) * 4],
      [202, 1],
      [409, clients / 5 - 1],
    ]);
    stage.letInstall();
    await stage.jobEnded();
    expect(stage.installs).toBe(1);
    // Those who ask while it is asked get the same answer; a job that began meanwhile makes it ask anew.
    expect(stage.calls().filter((call) => call.startsWith('rauc status')).length).toBeLessThanOrEqual(3);
    report({ totalMs, slowestMs: Math.max(...answers.map(({ ms }) => ms)), peakMiB: service.peakMiB });
  });

  test('lets so many follow, and refuses the others', async () => {
    const answers = await Promise.all(Array.from({ length: clients }, () => service.get(`${api}/events`)));
    try {
      const follow = answers.filter(({ status }) => status === 200);
      const refused = answers.filter(({ status }) => status === 503);
      expect([follow.length, refused.length]).toEqual([mostReaders, clients - mostReaders]);
      expect((await service.get('/health')).status).toBe(200);
    } finally {
      for (const answer of answers) await answer.body?.cancel();
    }
  });

  test('answers while 200 connections say nothing, and drops them', async () => {
    const { hostname, port } = new URL(service.url);
    let open = clients;
    const closed = Promise.withResolvers<void>();
    const close = (): void => {
      open -= 1;
      if (open === 0) closed.resolve();
    };
    const connect = { hostname, port: Number(port), socket: { data: () => {}, close } };
    const sockets = await Promise.all(Array.from({ length: clients }, () => Bun.connect(connect)));
    for (const [index, socket] of sockets.entries())
      socket.write(['GET /', 'GET / HTTP/1.1\r\nHost: localhost\r\nX', ''][index % 3] ?? '');
    expect((await service.get(`${api}/status`)).status).toBe(200);
    const started = performance.now();
    await closed.promise;
    report({ slowClientsDroppedAfterMs: performance.now() - started });
  }, 40_000);
});

const everyPath = [...routes.map(({ path }) => path), '/nothing', '/../etc/passwd', '//x', '/%00', '/%ff'];
/** No method of HTTP's: bun closes the connection without a word. */
const noMethod = 'BREW';
const everyMethod = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS', 'TRACE', noMethod];

/** Bodies that look like ours, and lead elsewhere. */
const paths = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc
    .array(
      fc.constantFrom('..', '.', '', 'new.raucb', 'secret.raucb', '~', '%2e%2e', '..\u0000', 'etc', 'passwd'),
    )
    .map((parts) => parts.join('/')),
  fc.constantFrom('../../secret.raucb', '/etc/passwd', '/proc/self/environ', '--force', '$(reboot).raucb'),
);
const bodies = fc.oneof(
  fc.json().map((text) => text),
  fc.string({ unit: 'binary' }),
  fc.record({ path: paths }).map((body) => JSON.stringify(body)),
  fc.record({ url: fc.oneof(fc.webUrl(), paths) }, { requiredKeys: [] }).map((body) => JSON.stringify(body)),
  fc
    .record({ path: fc.anything(), url: fc.anything(), yes: fc.anything() }, { requiredKeys: [] })
    .map(textOf),
  fc.nat({ max: 40_000 }).map((length) => '['.repeat(length)),
);

function textOf(value: unknown): string {
  try {
    return JSON.stringify(value, (_key, inner: unknown) => (typeof inner === 'bigint' ? 1 : inner)) ?? '';
  } catch {
    return '{}';
  }
}

const headerText = fc.string({ unit: 'grapheme-ascii', maxLength: 40 });
const headers = fc.dictionary(
  fc.constantFrom(
    'Host',
    'Origin',
    'Authorization',
    'Content-Type',
    'Sec-Fetch-Site',
    'Accept',
    'Cookie',
    'Range',
    'Expect',
    'If-None-Match',
    'X-Forwarded-For',
    'X-HTTP-Method-Override',
  ),
  fc.oneof(
    headerText,
    fc.constantFrom('localhost', 'application/json', 'Bearer x', '[', 'http://[', 'null', '100-continue'),
  ),
);

/** A request as bytes: fetch() would put it right. */
function bytesOf(method: string, path: string, given: Record<string, string>, body: string): string {
  const bytes = Buffer.from(body);
  const lines = Object.entries({
    Host: 'localhost',
    Authorization: `Bearer ${stage.token}`,
    'Content-Type': 'application/json',
    ...given,
    'Content-Length': String(bytes.length),
    Connection: 'close',
  }).map(([name, value]) => `${name}: ${value.replace(/[\r\n]/g, '')}`);
  return `${method} ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n${bytes.toString('latin1')}`;
}

describe('the API under any request', () => {
  /** So that a request which is all right by chance begins nothing, and says so. */
  const held = async (work: () => Promise<void>): Promise<void> => {
    stage.holdInstall();
    const begun = await service.post(`${api}/install`, good);
    expect(begun.status).toBe(202);
    const installs = stage.calls().filter((call) => call.startsWith('systemd-run')).length;
    const before = treeOf(stage.at('data/bundles'));
    await work();
    expect(treeOf(stage.at('data/bundles'))).toEqual(before);
    expect(stage.calls().filter((call) => call.startsWith('systemd-run')).length).toBe(installs);
    stage.letInstall();
    await stage.jobEnded();
  };

  test('bodies: no 500, and no second install', async () => {
    await held(async () => {
      await fc.assert(
        fc.asyncProperty(fc.constantFrom('install', 'rollback'), bodies, async (name, body) => {
          const answer = await service.get(`${api}/${name}`, {
            method: 'POST',
            headers: { ...service.authorized, 'Content-Type': 'application/json' },
            body,
          });
          expect([400, 404, 409, 413]).toContain(answer.status);
          expect(await answer.text()).not.toMatch(/\bat .*:\d+|not ours to install|root:/);
        }),
        { numRuns: 600 },
      );
    });
  }, 60_000);

  test('headers, methods and paths: no 500, and no stack', async () => {
    await held(async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.constantFrom(...everyMethod),
          fc.constantFrom(...everyPath.filter((path) => !/events|cancel/.test(path))),
          headers,
          bodies,
          async (method, path, given, body) => {
            const { status, text } = await rawRequest(service.url, bytesOf(method, path, given, body));
            if (method === noMethod) return expect(text).toBe('');
            expect(status).toBeWithin(200, 500);
            expect(text).not.toMatch(/\n\s+at .*:\d+|"stack"/);
          },
        ),
        { numRuns: 600 },
      );
    });
    expect((await service.get('/health')).status).toBe(200);
  }, 60_000);

  test('paths of bundles: only what lies below the folder is handed to update.sh', async () => {
    await fc.assert(
      fc.asyncProperty(paths, async (path) => {
        const answer = await service.post(`${api}/install`, { path });
        if (answer.status !== 202) return expect([400, 404, 409]).toContain(answer.status);
        await stage.jobEnded();
      }),
      { numRuns: 300, examples: [['new.raucb'], ['./..//bundles/new.raucb']] },
    );
    const handed = stage.calls().flatMap((call) => / update\.sh install (.*)$/.exec(call)?.[1] ?? []);
    expect(new Set(handed)).toEqual(new Set([stage.at('data/bundles/new.raucb')]));
  }, 60_000);
});

/** `reports/api.json`: what was measured here, for machines to read. */
function report(figures: Record<string, number>): void {
  const rounded = Object.entries(figures).map(([name, value]) => [name, Math.round(value)]);
  Object.assign(measured, Object.fromEntries(rounded));
  writeReport('api', { clients, cases: Object.keys(measured).length, ...measured });
}
const measured: Record<string, number> = {};
