import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { existsSync, readdirSync } from 'node:fs';
import { failureOf } from '../../support/failure-of.ts';
import { TempFolder } from '../../support/temp-folder.ts';
import { type Engine, startEngine } from './engine.ts';
import { imageName, stackImages } from './images.ts';
import { MoodyProxy } from './moody-proxy.ts';
import { type Registry, startRegistry } from './registry.ts';

setDefaultTimeout(60_000);
const folder = new TempFolder();
const stack = new AsyncDisposableStack();
let engine: Engine;
let registry: Registry;
let images = '';
let redis = '';

beforeAll(async () => {
  stack.defer(() => folder[Symbol.dispose]());
  images = await stackImages();
  engine = stack.use(await startEngine({ folder: folder.at('engine') }));
  registry = stack.use(await startRegistry({ folder: folder.at('registry'), images }));
  redis = imageName(registry.name, 'redis', '7');
}, 600_000);
afterAll(() => stack.disposeAsync());

describe('a registry', () => {
  test('refuses when it is down, and serves the same again on the same port when it is up', async () => {
    await registry.stop();
    expect((await failureOf(() => engine.docker(['pull', redis]))).message).toContain('connection refused');
    await registry.start();
    await engine.docker(['pull', redis]);
  });

  test('does not know an image when its tag was removed', async () => {
    const name = imageName(registry.name, 'orchestrator', '2.0.0');
    await engine.docker(['pull', name]);
    registry.removeTag('homie/orchestrator', '2.0.0');
    await engine.docker(['rmi', name]);
    const failure = await failureOf(() => engine.docker(['pull', name]));
    expect(failure.message).toContain('manifest unknown');
  });

  test('leaves the images that it began with as they are when its own change', async () => {
    const tags = `${images}/docker/registry/v2/repositories/homie/redis/_manifests/tags`;
    const own = await startRegistry({ folder: folder.at('own'), images });
    own.removeTag('homie/redis', '7');
    await own[Symbol.asyncDispose]();
    expect(readdirSync(tags)).toEqual(['7']);
    expect(existsSync(folder.at('own'))).toBe(false);
  });
});

describe('a moody proxy', () => {
  test('answers 429 so many times and tells the truth then', async () => {
    await using proxy = await MoodyProxy.start(registry.port);
    const name = imageName(proxy.name, 'postgres', '15');
    proxy.tooManyRequests({ times: 1, path: /manifests/ }, 7);
    const path = `http://${proxy.name}/v2/homie/postgres/manifests/15`;
    const answer = await fetch(path);
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([429, '7']);

    proxy.tooManyRequests({ times: 2, path: /manifests/ });
    const failure = await failureOf(() => engine.docker(['pull', name]));
    expect(failure.message).toContain('toomanyrequests');
    while (proxy.isMoody) await fetch(path);
    await engine.docker(['pull', name]);
  });

  test('breaks so many connections and tells the truth then', async () => {
    await using proxy = await MoodyProxy.start(registry.port);
    proxy.resetConnections({ times: 1, path: /manifests/ });
    const broken = await fetch(`http://${proxy.name}/v2/homie/redis/manifests/7`).catch(() => 'broken');
    expect(broken).toBe('broken');

    proxy.resetConnections({ times: 1, path: /blobs/ });
    const name = imageName(proxy.name, 'homie_core', '2.0.0');
    await engine.docker(['pull', name]);
    expect(proxy.isMoody).toBe(false);
    expect(proxy.requests.filter((request) => request.includes('/blobs/')).length).toBeGreaterThan(1);
  });
});
