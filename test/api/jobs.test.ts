import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { existsSync, readFileSync } from 'node:fs';
import type { Job, JobStanding } from '../../shared/api/job.ts';
import { readProgress } from '../../shared/update/install/progress.ts';
import { isAlive } from '../support/processes.ts';
import { takeUpdaterLock } from '../support/scene/by-hand.ts';
import { ApiStage, api } from '../support/servers/api-stage.ts';
import { until } from '../support/until.ts';

let stage: ApiStage;
beforeEach(() => {
  stage = new ApiStage();
});
afterEach(() => stage[Symbol.asyncDispose]());

const endlessly = (): Promise<void> => new Promise(() => {});
const good = { path: 'new.raucb' };
type Standing = Job & JobStanding;

async function standingOf(answer: Response): Promise<Standing> {
  return JSON.parse(await answer.text());
}

describe('POST install', () => {
  test('starts update.sh as a service of its own, and tells how it ended', async () => {
    const service = await stage.serve();
    const begun = await service.post(`${api}/install`, good);
    expect(begun.status).toBe(202);
    const job = await standingOf(begun);
    expect(begun.headers.get('location')).toBe(`${api}/jobs/${job.id}`);
    expect(job).toMatchObject({ kind: 'install', source: stage.at('data/bundles/new.raucb') });

    await stage.jobEnded();
    const ended = await standingOf(await service.get(`${api}/jobs/${job.id}`));
    expect(ended).toMatchObject({ state: 'done', exitCode: 4, outcome: 'rebootNeeded' });
    expect(ended.reason).toContain('Rebooting in 1 minute');
    expect(stage.installs).toBe(1);
    const unit = stage.calls().find((call) => call.startsWith('systemd-run ')) ?? '';
    expect(unit).toContain(`--collect --unit=homie-install-${job.id} `);
    expect(unit).toEndWith(` update.sh install ${stage.at('data/bundles/new.raucb')}`);
  });

  test('tells the refusal in the words of update.sh', async () => {
    stage.write('fail-rauc-info', 'signature verification failed: certificate has expired\n');
    const service = await stage.serve();
    const job = await standingOf(await service.post(`${api}/install`, good));
    await stage.jobEnded();
    const ended = await standingOf(await service.get(`${api}/jobs/${job.id}`));
    expect(ended).toMatchObject({ state: 'failed', exitCode: 12, outcome: 'signature' });
    expect(ended.reason).toContain('certificate has expired');
    expect(stage.installs).toBe(0);
  });

  test('hands a URL over as one word, and shows none of its secrets', async () => {
    const asked: string[] = [];
    using server = Bun.serve({
      hostname: '127.0.0.1',
      port: 0,
      fetch: (request) => {
        asked.push(request.url);
        return new Response(null, { status: 404 });
      },
    });
    const service = await stage.serve();
    const address = `http://127.0.0.1:${server.port}/a.raucb`;
    const url = `${address}?token=hidden&x=$(touch%20run/broken)`;
    const begun = await service.post(`${api}/install`, { url });
    expect(begun.status).toBe(202);
    expect((await standingOf(begun)).source).toBe(`${address}?token=***&x=$(touch%20run/broken)`);
    await stage.jobEnded();
    expect(new Set(asked)).toEqual(new Set([url]));
    expect(existsSync(stage.at('run/broken'))).toBe(false);
    expect(service.said).not.toContain('hidden');
    expect(stage.read('data/logs/update.log')).not.toContain('hidden');
  });

  test('refuses with 409 while an update by hand runs', async () => {
    const service = await stage.serve();
    const lock = takeUpdaterLock(stage.places);
    try {
      const refused = await service.post(`${api}/install`, good);
      expect(refused.status).toBe(409);
      expect(await refused.json()).toMatchObject({
        type: 'urn:homie:update:busy',
        outcome: 'busy',
        exitCode: 9,
        detail: `Cannot begin: another update is running (update.sh, process ${process.pid})`,
      });
      expect((await service.post(`${api}/rollback`)).status).toBe(409);
    } finally {
      lock.release();
    }
    expect(stage.installs).toBe(0);
    expect((await service.post(`${api}/install`, good)).status).toBe(202);
    await stage.jobEnded();
  });

  test('starts one of many that are asked for at once, and the next when it has ended', async () => {
    stage.holdInstall();
    const service = await stage.serve();
    const asked = Array.from({ length: 20 }, () => service.post(`${api}/install`, good));
    const statuses = (await Promise.all(asked)).map(({ status }) => status).sort();
    expect(statuses).toEqual([202, ...Array.from({ length: 19 }, () => 409)]);
    stage.letInstall();
    await stage.jobEnded();
    expect(stage.installs).toBe(1);
    expect((await service.post(`${api}/install`, good)).status).toBe(202);
    await stage.jobEnded();
    expect(stage.installs).toBe(2);
  });

  test('says so where systemd does not answer, and the job is a process of its own', async () => {
    stage.holdInstall();
    const service = await stage.serve({ without: ['systemd-run'] });
    expect((await service.post(`${api}/install`, good)).status).toBe(202);
    expect(service.said).toContain('Cannot ask systemd: "systemd-run" ended with 1');
    await until(() => stage.installs === 1);
    await service.stop('SIGKILL');
    stage.letInstall();
    await stage.jobEnded();
    const after = await stage.serve();
    expect(await (await after.get(`${api}/status`)).json()).toMatchObject({
      job: { state: 'done', exitCode: 4 },
    });
  });

  test('is 503, and forgets the job, where nothing can be started', async () => {
    const service = await stage.serve({ without: ['systemd-run', 'setsid'] });
    const refused = await service.post(`${api}/install`, good);
    expect(refused.status).toBe(503);
    expect(await refused.json()).toMatchObject({ outcome: 'tryLater' });
    expect(await (await service.get(`${api}/status`)).json()).toMatchObject({ job: null });
  });
});

describe('POST cancel', () => {
  test('ends a fetch that is under way, and its job says so', async () => {
    using server = Bun.serve({
      hostname: '127.0.0.1',
      port: 0,
      idleTimeout: 60,
      // Its head, and then nothing more.
      fetch: () =>
        new Response(
          new ReadableStream({ start: (body) => body.enqueue(new Uint8Array(100_000)), pull: endlessly }),
          { headers: { 'Content-Length': '1000000' } },
        ),
    });
    const service = await stage.serve();
    const url = `http://127.0.0.1:${server.port}/a.raucb`;
    const { id } = await standingOf(await service.post(`${api}/install`, { url }));
    await until(() => readProgress(stage.places)?.phase === 'fetching');
    const cancelled = await service.post(`${api}/cancel`);
    expect([cancelled.status, Object(await cancelled.json()).exitCode]).toEqual([200, 0]);
    expect(await standingOf(await service.get(`${api}/jobs/${id}`))).toMatchObject({
      state: 'failed',
      exitCode: 143,
    });
    expect(stage.installs).toBe(0);
    stage.remove('run/job.json');
  });

  test('says why it cannot, while RAUC writes', async () => {
    stage.holdInstall();
    const service = await stage.serve();
    await service.post(`${api}/install`, good);
    await until(() => stage.installs === 1);
    const refused = await service.post(`${api}/cancel`);
    expect(refused.status).toBe(503);
    expect(await refused.json()).toMatchObject({ outcome: 'tryLater', exitCode: 21 });
    stage.letInstall();
  });
});

describe('a service that ends while it installs', () => {
  test.each(['SIGTERM', 'SIGKILL'] as const)('by %s is joined by the next one', async (signal) => {
    stage.holdInstall();
    const first = await stage.serve();
    const { id } = await standingOf(await first.post(`${api}/install`, good));
    await until(() => stage.installs === 1);
    const installer = Number(JSON.parse(readFileSync(stage.at('run/update.lock'), 'utf8')).pid);
    expect(await first.stop(signal)).toBe(signal === 'SIGTERM' ? 0 : null);
    expect(isAlive(installer)).toBe(true);

    const second = await stage.serve();
    expect(second.said).toContain(`Found the install again that is under way, job ${id}`);
    expect(await standingOf(await second.get(`${api}/jobs/${id}`))).toMatchObject({ state: 'running' });
    expect((await second.post(`${api}/install`, good)).status).toBe(409);
    stage.letInstall();
    await stage.jobEnded();
    expect(await standingOf(await second.get(`${api}/jobs/${id}`))).toMatchObject({
      state: 'done',
      outcome: 'rebootNeeded',
    });
    expect(stage.installs).toBe(1);
  });

  test('has the slots as RAUC told them before, where RAUC is busy', async () => {
    const first = await stage.serve();
    const before = await (await first.get(`${api}/status`)).json();
    stage.write('fail-rauc-status', 'Error retrieving slot status: Already processing a different method\n');
    const second = await stage.serve();
    const after = await (await second.get(`${api}/status`)).json();
    expect(after).toEqual({
      ...Object(before),
      slotsProblem: 'Cannot read the slots: RAUC is busy with an install',
    });
  });
});

describe('update.sh serve', () => {
  test('does not serve a second time', async () => {
    const service = await stage.serve();
    const ended = await stage.run(['update.sh', 'serve']);
    expect(ended.reason).toBe(`Cannot serve: process ${service.pid} serves already`);
    expect(ended.exitCode).toBe(9);
  });

  test('ends with the reason when its address is taken', async () => {
    using server = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: () => new Response() });
    stage.configure({ api_listen: `127.0.0.1:${server.port}` });
    const ended = await stage.run(['update.sh', 'serve']);
    expect(ended.reason).toBe(
      `Cannot listen on "127.0.0.1:${server.port}": another program listens there. See api_listen in orchestrator.yaml`,
    );
    expect(ended.exitCode).toBe(1);
  });

  test('does not start with a token that others read', async () => {
    stage.write('data/update/api.token', 'a-token-of-the-operator', 0o644);
    const ended = await stage.run(['update.sh', 'serve']);
    expect(ended.reason).toBe(
      `Cannot use the token "${stage.at('data/update/api.token')}": others may read or change it. chmod 600 ${stage.at('data/update/api.token')}`,
    );
    expect(ended.exitCode).toBe(1);
  });
});
