import { describe, expect, test } from 'bun:test';
import { Events, mostReaders } from '../../shared/api/events.ts';
import type { Report } from '../../shared/api/status-reader.ts';
import { createLog } from '../../shared/system/terminal/log.ts';
import { writeProgress } from '../../shared/update/install/progress.ts';
import { writeTransaction } from '../support/scene/by-hand.ts';
import { transactionAt } from '../support/scene/transactions.ts';
import { ApiStage, api } from '../support/servers/api-stage.ts';
import { EventReader } from '../support/servers/event-reader.ts';

const progress = {
  format: 1,
  pid: 1,
  startedAt: '2026-01-02T03:04:05Z',
  source: 'new.raucb',
  version: '1.1.0',
  message: 'Copying image to rootfs.1',
};

describe('GET events', () => {
  test('tells how it stands at once, and again when that has changed, as GET status does', async () => {
    await using stage = new ApiStage();
    const service = await stage.serve();
    await using events = new EventReader(await service.get(`${api}/events`));
    expect(await events.next()).toBe('retry: 2000');
    const first = await events.data('status');
    expect(first).toEqual(await (await service.get(`${api}/status`)).json());

    writeProgress(stage.places, { ...progress, phase: 'fetching', percent: 10 });
    expect(await events.data('status')).toMatchObject({ progress: { phase: 'fetching', percent: 10 } });
    writeProgress(stage.places, { ...progress, phase: 'installing', percent: 90 });
    expect(await events.data('status')).toMatchObject({ progress: { percent: 90 } });
    writeTransaction(stage.places, transactionAt('installed'));
    expect(await events.data('status')).toMatchObject({ transaction: { to: { version: '1.1.0' } } });
  });

  test('tells an install from its beginning to its end', async () => {
    await using stage = new ApiStage();
    stage.holdInstall();
    const service = await stage.serve();
    await using events = new EventReader(await service.get(`${api}/events`));
    expect(await events.data('status')).toMatchObject({ job: null, busy: null });
    const job = await (await service.post(`${api}/install`, { path: 'new.raucb' })).json();
    const { id } = Object(job);
    const running = await events.data('status');
    expect(running).toMatchObject({ job: { id } });
    stage.letInstall();
    await stage.jobEnded();
    for (;;) {
      const standing = Object(await events.data('status')).job;
      if (standing.state === 'done') return expect(standing).toMatchObject({ id, exitCode: 4 });
    }
  });

  test('makes room for others when a reader goes', async () => {
    await using stage = new ApiStage();
    const service = await stage.serve();
    const ending = new AbortController();
    const open = () => service.get(`${api}/events`, { signal: ending.signal });
    const answers = await Promise.all(Array.from({ length: mostReaders + 4 }, open));
    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status === 200).length).toBe(mostReaders);
    expect(statuses.filter((status) => status === 503).length).toBe(4);
    ending.abort();
    for (;;) {
      const answer = await service.get(`${api}/events`);
      await answer.body?.cancel();
      if (answer.status === 200) break;
      await Bun.sleep(10);
    }
  });
});

/** Events on a server of the test's own, whose report is what the test says. */
function serveEvents(report: () => object, rhythm: { lookMs: number; heartbeatMs: number }) {
  // Only its JSON is sent on.
  const reporter = { read: () => Promise.resolve(report() as Report) };
  const events = new Events(reporter, createLog('test'), rhythm);
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    error: () => new Response(),
    fetch: (request, bun) => {
      bun.timeout(request, 0);
      return events.open();
    },
  });
  return {
    events,
    server,
    async [Symbol.asyncDispose]() {
      events.close();
      await server.stop(true);
    },
  };
}

describe('Events', () => {
  test('says that it still runs, when nothing changes', async () => {
    await using own = serveEvents(() => ({ same: true }), { lookMs: 5, heartbeatMs: 20 });
    await using events = new EventReader(await fetch(own.server.url));
    const blocks = [await events.next(), await events.next(), await events.next(), await events.next()];
    expect(blocks.slice(2)).toEqual([': still here', ': still here']);
  });

  test('drops a reader that does not read, and continues for the one that does', async () => {
    let count = 0;
    const report = () => {
      count += 1;
      return { count, filling: 'x'.repeat(64 * 1024) };
    };
    await using own = serveEvents(report, { lookMs: 5, heartbeatMs: 1_000 });
    const dropped = Promise.withResolvers<void>();
    let received = 0;
    const socket = await Bun.connect({
      hostname: '127.0.0.1',
      port: own.server.port ?? 0,
      socket: {
        data(stalled, data) {
          received += data.length;
          if (own.events.readerCount > 1) stalled.pause();
        },
        close: () => dropped.resolve(),
      },
    });
    socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await using events = new EventReader(await fetch(own.server.url));
    let seen = 0;
    // What the kernel takes before it says no is some megabytes.
    while (own.events.readerCount > 1) {
      await events.data('status');
      seen += 1;
    }
    expect(own.events.readerCount).toBe(1);
    expect(seen).toBeGreaterThan(0);
    await events.data('status');
    expect(received).toBeGreaterThan(0);
    socket.resume();
    await dropped.promise;
  });

  test('ends its streams when it is closed', async () => {
    await using own = serveEvents(() => ({}), { lookMs: 5, heartbeatMs: 1_000 });
    const events = new EventReader(await fetch(own.server.url));
    await events.data('status');
    own.events.close();
    while ((await events.next()) !== undefined);
    expect(own.events.readerCount).toBe(0);
  });
});
