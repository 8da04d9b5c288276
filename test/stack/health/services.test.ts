import { describe, expect, test } from 'bun:test';
import { type Container, parseContainers } from '../../../shared/stack/container.ts';
import { composeCheck, judgeContainers } from '../../../shared/stack/health/services.ts';

const service = { name: 'core', image: 'homie/core:2' };
const running: Container = {
  id: 'c1',
  service: 'core',
  image: 'homie/core:2',
  state: 'running',
  health: 'none',
  restartCount: 0,
  restartPolicy: 'unless-stopped',
  exitCode: 0,
  startedAt: '2026-01-01T00:00:00Z',
};
const later = '2026-01-01T00:00:09Z';

function faultOf(now: Partial<Container>, before?: Partial<Container>): string | undefined {
  const seen = before === undefined ? [] : [{ ...running, ...before }];
  const result = judgeContainers([service], [{ ...running, ...now }], seen);
  return result.isHealthy ? undefined : result.reason;
}

describe('judgeContainers()', () => {
  test.each<[Partial<Container>, string | undefined]>([
    [{}, undefined],
    [{ health: 'healthy' }, undefined],
    [{ health: 'starting' }, '"core" is starting'],
    [{ health: 'unhealthy' }, '"core" is unhealthy'],
    [{ restartCount: 7 }, undefined],
    [{ state: 'restarting', exitCode: 3 }, '"core" restarts again and again (it ended with 3)'],
    [{ state: 'exited', exitCode: 3 }, '"core" has ended with 3'],
    [{ state: 'exited', exitCode: 0 }, '"core" has ended with 0'],
    [{ state: 'exited', exitCode: 0, restartPolicy: 'no' }, undefined],
    [{ state: 'exited', exitCode: 0, restartPolicy: 'on-failure' }, undefined],
    [{ state: 'exited', exitCode: 1, restartPolicy: 'no' }, '"core" has ended with 1'],
    [{ state: 'paused' }, '"core" is paused'],
    [{ state: 'created' }, '"core" is created'],
    [{ image: 'homie/core:1', health: 'healthy' }, '"core" still runs "homie/core:1"'],
  ])('when the container is %j', (container, fault) => {
    expect(faultOf(container)).toBe(fault);
  });

  test.each<[Partial<Container>, Partial<Container>, string | undefined]>([
    [{}, {}, undefined],
    [{ restartCount: 2 }, { restartCount: 3, startedAt: later }, '"core" restarted 3 times'],
    [{ restartCount: 0 }, { restartCount: 1, startedAt: later }, '"core" restarted once'],
    [{}, { startedAt: later }, '"core" was started again'],
    [{ id: 'c0' }, {}, '"core" was created again'],
    [{ state: 'restarting' }, { restartCount: 1, startedAt: later }, undefined],
  ])('when it was %j and now is %j', (before, now, fault) => {
    expect(faultOf(now, before)).toBe(fault);
  });

  test('names each service that has no container, and says it by service', () => {
    const services = [service, { name: 'redis', image: 'redis:7' }, { name: 'own', image: undefined }];
    expect(judgeContainers(services, [running])).toEqual({
      isHealthy: false,
      reason: '"redis" has no container, "own" has no container',
      faults: { redis: '"redis" has no container', own: '"own" has no container' },
    });
  });

  test('looks at every container of a service', () => {
    const second = { ...running, id: 'c2', state: 'exited', exitCode: 9 };
    expect(judgeContainers([service], [running, second]).isHealthy).toBe(false);
  });

  test('does not look at containers of services that the file does not name', () => {
    expect(judgeContainers([service], [running, { ...running, service: 'old', state: 'dead' }])).toEqual({
      isHealthy: true,
    });
  });
});

describe('composeCheck()', () => {
  test('compares each look with the one before it', async () => {
    const restarted = { ...running, restartCount: 1, startedAt: later };
    const looks = [running, restarted, restarted];
    const check = composeCheck(async () => ({
      services: () => [service],
      containers: async () => looks.splice(0, 1),
      exec: () => Promise.reject(new Error('not asked')),
    }));
    const { signal } = new AbortController();
    expect(await check.run(signal)).toEqual({ isHealthy: true });
    expect(await check.run(signal)).toMatchObject({ reason: '"core" restarted once' });
    expect(await check.run(signal)).toEqual({ isHealthy: true });
  });
});

describe('parseContainers()', () => {
  test('takes a container without health check, labels and policy as they are', () => {
    const shown = {
      Id: 'x',
      State: { Status: 'running', ExitCode: 0, StartedAt: 'then' },
      HostConfig: {},
      Config: { Image: 'a:1', Labels: null },
    };
    expect(parseContainers(JSON.stringify([shown]))).toEqual([
      {
        id: 'x',
        service: '',
        image: 'a:1',
        state: 'running',
        health: 'none',
        restartCount: 0,
        restartPolicy: 'no',
        exitCode: 0,
        startedAt: 'then',
      },
    ]);
  });

  test('throws when it is something else', () => {
    expect(() => parseContainers('{}')).toThrow();
  });
});
