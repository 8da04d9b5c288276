import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { chmodSync } from 'node:fs';
import { mostReaders } from '../../shared/api/events.ts';
import { routes } from '../../shared/api/routes.ts';
import type { Report } from '../../shared/api/status-reader.ts';
import { takeProgramLock } from '../../shared/update/transaction/update-lock.ts';
import { bareDevice, closeTransaction } from '../support/scene/by-hand.ts';
import { transactionAt } from '../support/scene/transactions.ts';
import { validatorOf } from '../support/schemas.ts';
import { ApiStage, api, type Service } from '../support/servers/api-stage.ts';
import { rawRequest } from '../support/servers/raw-request.ts';
import { faultsOf, faultsOfAnswer, operations } from './openapi.ts';

/** docs/openapi.yaml is true: each path, method and status in it is driven, and the running program has no other. */

let stage: ApiStage;
let service: Service;
beforeAll(async () => {
  stage = new ApiStage();
  closeTransaction(stage.places, transactionAt('committed', { version: '1.0.0' }));
  service = await stage.serve();
});
afterAll(() => stage[Symbol.asyncDispose]());

const foreign = { Host: 'updates.example.org' };
const good = { path: 'new.raucb' };
const posts = ['install', 'rollback', 'cancel'] as const;

async function jobEnds(answer: Response): Promise<Response> {
  await stage.jobEnded();
  return answer;
}

/** RAUC installs for as long as the work lasts. */
async function whileInstalling(work: () => Promise<Response>): Promise<Response> {
  stage.holdInstall();
  const begun = await service.post(`${api}/install`, good);
  expect(begun.status).toBe(202);
  const answer = await work();
  stage.letInstall();
  return jobEnds(answer);
}

/** A request whose body never comes whole, as the answer that it gets. */
async function late(path: string): Promise<Response> {
  const head = [
    `POST ${path} HTTP/1.1`,
    'Host: localhost',
    `Authorization: Bearer ${stage.token}`,
    'Content-Type: application/json',
    'Content-Length: 100',
  ];
  const { status, text } = await rawRequest(service.url, `${head.join('\r\n')}\r\n\r\n{`);
  const [answerHead = '', body = ''] = text.split('\r\n\r\n');
  const type = /^content-type: (\S+)/im.exec(answerHead)?.[1] ?? '';
  return new Response(body, { status, headers: { 'Content-Type': type } });
}

async function withOpenToken(work: () => Promise<Response>): Promise<Response> {
  chmodSync(stage.at('data/update/api.token'), 0o644);
  try {
    return await work();
  } finally {
    chmodSync(stage.at('data/update/api.token'), 0o600);
  }
}

async function tooManyReaders(): Promise<Response> {
  const readers: Response[] = [];
  try {
    for (let count = 0; count < mostReaders; count += 1) readers.push(await service.get(`${api}/events`));
    expect(readers.every(({ status }) => status === 200)).toBe(true);
    return await service.get(`${api}/events`);
  } finally {
    for (const reader of readers) await reader.body?.cancel();
  }
}

/** A boot that is on trial must not be interrupted. */
async function cancelWhatIsNoInstall(): Promise<Response> {
  const lock = takeProgramLock(bareDevice(stage.places), 'post-activate');
  try {
    return await service.post(`${api}/cancel`);
  } finally {
    lock.release();
  }
}

async function cancelInVain(): Promise<Response> {
  stage.cancelEndsWith(1, 'Cannot cancel the reboot: logind does not answer');
  try {
    return await service.post(`${api}/cancel`);
  } finally {
    stage.remove('cancel-end');
  }
}

/** As the guide's client asks for it. */
async function installInVain(): Promise<Response> {
  const usual = stage.read('rauc-install.sh');
  stage.write('rauc-install.sh', 'exit 1');
  try {
    return await service.post(`${api}/install?bundle_path=new.raucb`);
  } finally {
    stage.write('rauc-install.sh', usual);
  }
}

const sendTo = (path: string, body: string, type = 'application/json'): Promise<Response> =>
  service.get(path, { method: 'POST', headers: { ...service.authorized, 'Content-Type': type }, body });

/** Of all that change something. */
const forEachPost = posts.flatMap((name): [string, () => Promise<Response>][] => {
  const path = `${api}/${name}`;
  return [
    [`POST ${path} 400`, () => service.post(path, { file: '/etc/passwd' })],
    [`POST ${path} 401`, () => service.post(path, good, {})],
    [`POST ${path} 403`, () => service.post(path, good, { ...service.authorized, ...foreign })],
    [`POST ${path} 408`, () => late(path)],
    [`POST ${path} 413`, () => sendTo(path, `"${'x'.repeat(16 * 1024)}"`)],
    [`POST ${path} 415`, () => sendTo(path, '{}', 'text/plain')],
    [`POST ${path} 503`, () => withOpenToken(() => service.post(path))],
  ];
});

const forEachGet = [
  '/',
  '/health',
  ...['status', 'events', 'history'].map((name) => `${api}/${name}`),
].flatMap((path): [string, () => Promise<Response>][] => [
  [`GET ${path} 200`, () => service.get(path)],
  [`GET ${path} 403`, () => service.get(path, { headers: foreign })],
]);

const drives = new Map<string, () => Promise<Response>>([
  ...forEachGet,
  ...forEachPost,
  [`GET ${api}/events 503`, tooManyReaders],
  [
    `GET ${api}/jobs/{id} 200`,
    async () => {
      const begun = await service.post(`${api}/install`, good);
      return jobEnds(await service.get(begun.headers.get('location') ?? ''));
    },
  ],
  [`GET ${api}/jobs/{id} 403`, () => service.get(`${api}/jobs/x`, { headers: foreign })],
  [`GET ${api}/jobs/{id} 404`, () => service.get(`${api}/jobs/another`)],
  [`POST ${api}/install 202`, async () => jobEnds(await service.post(`${api}/install`, good))],
  [`POST ${api}/install 200`, () => service.post(`${api}/install?bundle_path=new.raucb`)],
  [`POST ${api}/install 500`, installInVain],
  [`POST ${api}/install 404`, () => service.post(`${api}/install`, { path: 'other.raucb' })],
  [`POST ${api}/install 409`, () => whileInstalling(() => service.post(`${api}/install`, good))],
  [`POST ${api}/cancel 200`, () => service.post(`${api}/cancel`)],
  [`POST ${api}/cancel 409`, cancelWhatIsNoInstall],
  [`POST ${api}/cancel 502`, cancelInVain],
  [`POST ${api}/rollback 202`, async () => jobEnds(await service.post(`${api}/rollback`, { yes: false }))],
  [`POST ${api}/rollback 409`, () => whileInstalling(() => service.post(`${api}/rollback`))],
]);

describe('docs/openapi.yaml', () => {
  test('has the paths and methods of the program, and no other', () => {
    const documented = operations.map(({ method, path, needsToken }) => [`${method} ${path}`, needsToken]);
    const served = routes.map(({ method, path, needsToken }) => [`${method} ${path}`, needsToken === true]);
    expect(documented.sort()).toEqual(served.sort());
  });

  const statuses = operations.flatMap(({ method, path, responses }) =>
    [...responses.keys()].map((status) => `${method} ${path} ${status}`),
  );

  test('has no status that is not driven, and each that is', () => {
    expect([...statuses].sort()).toEqual([...drives.keys()].sort());
  });

  test.each(statuses)('says what the program answers: %s', async (name) => {
    const [method, path, status] = name.split(' ');
    const spec = operations.find((one) => one.method === method && one.path === path);
    const response = spec?.responses.get(Number(status));
    const answer = await drives.get(name)?.();
    if (response === undefined || answer === undefined) throw new Error(`${name} cannot be driven`);
    expect(answer.status).toBe(Number(status));
    expect(await faultsOfAnswer(answer, response)).toEqual([]);
  });

  test('takes the bodies that are sent here, and finds fault with others', () => {
    const schema = operations.find(({ path }) => path === `${api}/install`)?.body ?? {};
    expect(faultsOf(good, schema)).toEqual([]);
    expect(faultsOf({ url: 'https://updates.example.org/a.raucb' }, schema)).toEqual([]);
    expect(faultsOf({ bundle_path: '/data/bundles/a.raucb' }, schema)).toEqual([]);
    for (const wrong of [{}, { path: '' }, { path: 'a', url: 'https://b' }, { url: 'ftp://b' }, []])
      expect(faultsOf(wrong, schema)).not.toEqual([]);
  });

  test('holds for a status with an update, its progress and its job in it', async () => {
    await jobEnds(await service.post(`${api}/install`, good));
    const spec = operations.find(({ path }) => path === `${api}/status`)?.responses.get(200);
    const answer = await service.get(`${api}/status`);
    const body: Report = JSON.parse(await answer.clone().text());
    expect([body.progress?.phase, body.job?.state, body.transaction?.isClosed]).toEqual([
      'done',
      'done',
      true,
    ]);
    expect(await faultsOfAnswer(answer, spec ?? {})).toEqual([]);
    // Nothing is taken away from, and nothing said otherwise than, "update.sh status --json".
    const { job: _job, busy: _busy, slotsProblem: _problem, ...status } = body;
    const validate = validatorOf('status');
    validate(status);
    expect(validate.errors ?? []).toEqual([]);
    const byHand = await stage.run(['update.sh', 'status', '--json']);
    expect(status).toEqual(JSON.parse(byHand.stdout));
  });
});

describe('what the document does not have', () => {
  test.each(['/api', api, `${api}/`, `${api}/jobs/`, `${api}/jobs/a/b`, '/openapi.yaml', '/favicon.ico'])(
    '%s is a 404',
    async (path) => {
      const answer = await service.get(path);
      expect(answer.status).toBe(404);
      expect(await answer.json()).toMatchObject({ type: 'about:blank', status: 404 });
    },
  );

  test.each(routes.map(({ method, path }) => [method, path]))(
    'a method that is not there is a 405 at %s %s',
    async (method, path) => {
      for (const other of ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'].filter(
        (one) => one !== method,
      )) {
        const answer = await service.get(path.replace('{id}', 'x'), { method: other });
        expect([other, answer.status, answer.headers.get('allow')]).toEqual([other, 405, method]);
        expect(answer.headers.get('access-control-allow-origin')).toBeNull();
      }
    },
  );

  test('HEAD is GET without its body, and has no events', async () => {
    const head = await service.get(`${api}/status`, { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([200, '']);
    expect((await service.get(`${api}/events`, { method: 'HEAD' })).status).toBe(405);
  });
});
