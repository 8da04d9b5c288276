import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { prefersJob } from '../../shared/api/guide-client.ts';
import { newJob, writeJob } from '../../shared/api/job.ts';
import { Jobs } from '../../shared/api/jobs.ts';
import { apiSocketOf } from '../../shared/system/places.ts';
import { createLog } from '../../shared/system/terminal/log.ts';
import { ApiStage, api, type Service } from '../support/servers/api-stage.ts';
import { Orchestrator } from '../support/servers/orchestrator.ts';
import { rawRequest } from '../support/servers/raw-request.ts';
import { TempFolder } from '../support/temp-folder.ts';
import { until } from '../support/until.ts';

/** A client that was written after the integration guide, on the orchestrator's port: real FastAPI and uvicorn between. */

let stage: ApiStage;
let service: Service;
let orchestrator: Orchestrator;
beforeAll(async () => {
  stage = new ApiStage();
  service = await stage.serve();
  orchestrator = await Orchestrator.before(apiSocketOf(stage.places));
}, 60_000);
afterAll(async () => {
  await orchestrator[Symbol.asyncDispose]();
  await stage[Symbol.asyncDispose]();
});

/** What RAUC does in an install. */
const usual = `echo ' 20% Checking bundle'\nwhile [ -e hold-install ]; do sleep 0.02; done`;
const failing = `echo ' 20% Checking bundle'\necho 'LastError: Bundle rejected: it is for another board' >&2\nexit 1`;
afterEach(() => {
  stage.letInstall();
  stage.write('rauc-install.sh', usual);
});

const ask = (path: string, init: RequestInit = {}): Promise<Response> =>
  fetch(`${orchestrator.url}${path}`, init);
/** As curl -X POST does it: no body, and so no type. */
const install = (path: string, headers: Record<string, string> = service.authorized): Promise<Response> =>
  ask(`${api}/install?bundle_path=${encodeURIComponent(path)}`, { method: 'POST', headers });

describe('GET status on the port of the orchestrator', () => {
  test('has the form of "rauc status --output-format=json", and ours below "homie"', async () => {
    const [answer, own] = await Promise.all([ask(`${api}/status`), service.get(`${api}/status`)]);
    expect(answer.status).toBe(200);
    const { homie, ...rauc } = JSON.parse(await answer.text());
    const { rauc: ownRauc, ...ownRest } = JSON.parse(await own.text());
    expect(rauc).toEqual(JSON.parse(stage.read('rauc-status.json')));
    expect(ownRauc).toEqual(rauc);
    expect(homie).toEqual(ownRest);
  });

  test('is there for curl, and so is the health of the orchestrator', async () => {
    for (const path of [`${api}/status`, '/health']) {
      const curl = Bun.spawn(['curl', '--fail', '--silent', `${orchestrator.url}${path}`], {
        stdout: 'pipe',
      });
      expect(JSON.parse(await new Response(curl.stdout).text())).toBeObject();
      expect(await curl.exited).toBe(0);
    }
  });
});

describe('POST install?bundle_path=', () => {
  test('answers when RAUC has installed it', async () => {
    stage.holdInstall();
    const before = stage.installs;
    const answer = install(join(stage.bundles, 'new.raucb'));
    await until(() => stage.installs > before);
    expect(Bun.peek.status(answer)).toBe('pending');
    stage.letInstall();
    const { status } = await answer;
    const body = JSON.parse(await (await answer).text());
    expect([status, body.status, typeof body.message]).toEqual([200, 'success', 'string']);
    expect(Object.keys(body)).toEqual(['status', 'message']);
  });

  test('answers with 500 and the reason where RAUC refuses it', async () => {
    stage.write('rauc-install.sh', failing);
    const answer = await install('new.raucb');
    expect(answer.status).toBe(500);
    expect(JSON.parse(await answer.text()).detail).toContain('it is for another board');
  });

  test.each([
    ['what is not there', 'other.raucb'],
    ['what is outside of the folder', '/etc/passwd'],
    ['the way up', '../data/update/api.token'],
  ])('answers with 404 for %s', async (_what, path) => {
    const answer = await install(path);
    expect([answer.status, typeof JSON.parse(await answer.text()).detail]).toEqual([404, 'string']);
  });

  test('answers with 401 without the token, and begins nothing', async () => {
    const before = stage.installs;
    const answer = await install('new.raucb', {});
    expect([answer.status, answer.headers.get('www-authenticate'), stage.installs]).toEqual([
      401,
      'Bearer realm="homie-update"',
      before,
    ]);
  });

  test('gives the job at once to who prefers that', async () => {
    const answer = await install('new.raucb', { ...service.authorized, Prefer: 'respond-async, wait=10' });
    expect(answer.status).toBe(202);
    const job = await ask(answer.headers.get('location') ?? '');
    expect(JSON.parse(await job.text())).toMatchObject({ kind: 'install' });
    await stage.jobEnded();
  });

  test.each([
    ['a second value', '?bundle_path=new.raucb&bundle_path=other.raucb'],
    ['another name', '?path=new.raucb'],
    ['an empty value', '?bundle_path='],
  ])('refuses %s', async (_what, query) => {
    const answer = await service.post(`${api}/install${query}`);
    expect(answer.status).toBe(400);
  });

  test('refuses a bundle in the query and in the body', async () => {
    const answer = await service.post(`${api}/install?bundle_path=new.raucb`, { path: 'new.raucb' });
    expect(answer.status).toBe(400);
  });
});

test('POST install with bundle_path in JSON gives a job, as "path" does', async () => {
  const answer = await ask(`${api}/install`, {
    method: 'POST',
    headers: { ...service.authorized, 'Content-Type': 'application/json' },
    body: JSON.stringify({ bundle_path: join(stage.bundles, 'new.raucb') }),
  });
  expect([answer.status, JSON.parse(await answer.text()).source]).toEqual([
    202,
    join(stage.bundles, 'new.raucb'),
  ]);
  await stage.jobEnded();
});

test('the drop-in passes nothing else on, and says so when the service is away', async () => {
  // The page and the service's own health are not below its path.
  for (const way of [
    '../../../',
    '%2e%2e/%2e%2e/%2e%2e/',
    '..%2f..%2f..%2fhealth',
    'x/%2e%2e/status',
    './status',
  ]) {
    const head = [`GET ${api}/${way} HTTP/1.1`, 'Host: localhost', 'Connection: close'];
    expect([way, (await rawRequest(orchestrator.url, `${head.join('\r\n')}\r\n\r\n`)).status]).toEqual([
      way,
      404,
    ]);
  }
  expect((await ask(`${api}/nothing`)).status).toBe(404);
  expect(statSync(apiSocketOf(stage.places)).mode & 0o7777).toBe(0o660);
  await service.stop();
  const away = await ask(`${api}/status`);
  expect([away.status, JSON.parse(await away.text()).detail]).toEqual([
    503,
    expect.stringContaining('The update service does not answer'),
  ]);
  service = await stage.serve();
  expect((await ask(`${api}/status`)).status).toBe(200);
});

test('Jobs.ended() takes a job that another one has followed for failed, and not for installed', async () => {
  using folder = new TempFolder();
  const places = { data: folder.at('data'), root: folder.at('root'), run: folder.at('run') };
  writeJob(places, newJob('b', 'rollback', null));
  const ended = await new Jobs(places, createLog('test')).ended('a', new AbortController().signal);
  expect(ended).toMatchObject({
    state: 'failed',
    reason: expect.stringContaining('another job has followed'),
  });
});

test('serve listens once where api_listen is the socket of the orchestrator', async () => {
  await using other = new ApiStage();
  other.usual['api_listen'] = apiSocketOf(other.places);
  other.configure();
  const { said } = await other.serve();
  expect(said).not.toContain('cannot pass requests on');
  const answer = await fetch(`http://localhost${api}/status`, { unix: apiSocketOf(other.places) });
  expect(Object.keys(Object(await answer.json()))).toContain('rauc');
});

test.each([
  ['respond-async', true],
  ['wait=10, Respond-Async; x=1', true],
  ['respond-async-never', false],
  ['', false],
])('prefersJob() of "%s" is %p', (prefer, expected) => {
  expect(prefersJob(new Headers({ Prefer: prefer }))).toBe(expected);
});
