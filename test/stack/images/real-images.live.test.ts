import { afterAll, beforeAll, beforeEach, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { mkdirSync } from 'node:fs';
import { readLayers } from '../../../shared/stack/images/image-layers.ts';
import { pruneImages } from '../../../shared/stack/images/image-prune.ts';
import { pullImage } from '../../../shared/stack/images/image-pull.ts';
import { ensureImages } from '../../../shared/stack/images/images.ts';
import { Deadline } from '../../../shared/system/deadline.ts';
import { type Engine, startEngine } from '../../rig/stack/engine.ts';
import { imageName, stackImages } from '../../rig/stack/images.ts';
import { MoodyProxy } from '../../rig/stack/moody-proxy.ts';
import { type Registry, startRegistry } from '../../rig/stack/registry.ts';
import { failureOf } from '../../support/failure-of.ts';
import { mayMount } from '../../support/privileges.ts';
import { onSmallDisk } from '../../support/scene/small-disk.ts';
import { TempFolder } from '../../support/temp-folder.ts';
import { inEnvironment } from '../in-environment.ts';
import { type Kept, keptLog } from '../kept-log.ts';

/** With a real Docker engine and a real registry. */

setDefaultTimeout(120_000);
const { signal } = new AbortController();
const cleanup = new AsyncDisposableStack();
let folder: TempFolder;
let engine: Engine;
let registry: Registry;
let log: Kept;

beforeAll(async () => {
  folder = cleanup.use(new TempFolder());
  registry = cleanup.use(await startRegistry({ folder: folder.at('registry'), images: await stackImages() }));
  engine = cleanup.use(await startEngine({ folder: folder.at('engine') }));
  cleanup.use(inEnvironment(engine.environment));
}, 600_000);
afterAll(() => cleanup.disposeAsync());
beforeEach(async () => {
  log = keptLog();
  const { stdout } = await engine.docker(['image', 'ls', '--quiet', '--no-trunc']);
  const ids = [...new Set(stdout.split('\n').filter((id) => id !== ''))];
  if (ids.length > 0) await engine.docker(['image', 'rm', '--force', ...ids]);
});

const name = (image: string, tag: string, from = registry.name): string => imageName(from, image, tag);

function ensure(
  images: readonly string[],
  more: { folder?: string; seconds?: number; reserveMiB?: number } = {},
) {
  return ensureImages({
    compose: { services: () => images.map((image, index) => ({ name: `service${index}`, image })) },
    config: { pullDeadlineSeconds: more.seconds ?? 100, reserveMiB: more.reserveMiB ?? 1 },
    ...(more.folder === undefined ? {} : { bundleImagesFolder: more.folder }),
    log,
    signal,
    patience: { firstPauseMs: 100, longestPauseMs: 400 },
  });
}

async function hasImage(image: string): Promise<boolean> {
  return (await engine.docker(['image', 'inspect', image], { accept: [1] })).exitCode === 0;
}

describe('ensureImages() with a real registry', () => {
  test('pulls what is missing, and nothing the second time', async () => {
    const core = name('homie_core', '1.0.0');
    const redis = name('redis', '7');
    await engine.docker(['pull', redis]);
    expect(await ensure([core, redis, core])).toEqual({ present: [redis], loaded: [], pulled: [core] });
    await registry.stop();
    try {
      expect(await ensure([core, redis])).toEqual({ present: [core, redis], loaded: [], pulled: [] });
    } finally {
      await registry.start();
    }
  });

  test('knows an image by its digest', async () => {
    const redis = name('redis', '7');
    await engine.docker(['pull', redis]);
    const { stdout } = await engine.docker(['image', 'inspect', '--format={{index .RepoDigests 0}}', redis]);
    const byDigest = stdout.trim();
    expect(byDigest).toContain('@sha256:');
    expect((await ensure([byDigest])).present).toEqual([byDigest]);
    await engine.docker(['image', 'rm', '--force', redis]);
    expect((await ensure([byDigest])).pulled).toEqual([byDigest]);
  });

  test('names image and reason at once when the registry does not have it', async () => {
    const wrong = name('homie_core', '9.9.9');
    const failure = await failureOf(() => ensure([wrong]));
    expect(failure.message).toBe(`Cannot pull image "${wrong}": the registry does not have it`);
    expect(failure.outcome).toBe('failed');
    expect(String(failure.cause)).toContain('manifest unknown');
  });

  test('tries until the deadline when the registry is down, then asks to be tried later', async () => {
    await registry.stop();
    try {
      const failure = await failureOf(() => ensure([name('redis', '7')], { seconds: 2 }));
      expect(failure.message).toMatch(/the registry refuses connections, \d+ times in [12](\.\d)? s$/);
      expect(failure.outcome).toBe('tryLater');
    } finally {
      await registry.start();
    }
  });

  test('heals when the registry gets too many requests, and when it breaks connections', async () => {
    await using proxy = await MoodyProxy.start(registry.port);
    const redis = name('redis', '7', proxy.name);
    proxy.tooManyRequests({ times: 2, path: /manifests/ });
    proxy.resetConnections({ times: 2, path: /manifests/ });
    expect((await ensure([redis])).pulled).toEqual([redis]);
    expect(await hasImage(redis)).toBe(true);
  });

  test('says that an image is not made for this machine, and does not try again', async () => {
    const own = await fetch(`http://${registry.name}/v2/homie/redis/manifests/7`, {
      headers: { accept: 'application/vnd.docker.distribution.manifest.v2+json' },
    });
    const { digest, size } = {
      digest: own.headers.get('docker-content-digest'),
      size: (await own.arrayBuffer()).byteLength,
    };
    const mediaType = 'application/vnd.docker.distribution.manifest.list.v2+json';
    const entry = { mediaType: own.headers.get('content-type'), digest, size };
    const list = {
      schemaVersion: 2,
      mediaType,
      manifests: [{ ...entry, platform: { architecture: 's390x', os: 'linux' } }],
    };
    const put = await fetch(`http://${registry.name}/v2/homie/redis/manifests/mainframe`, {
      method: 'PUT',
      headers: { 'content-type': mediaType },
      body: JSON.stringify(list),
    });
    expect(put.status).toBe(201);
    const image = name('redis', 'mainframe');
    expect(await readLayers(image, 'x86_64', signal)).toBeUndefined();
    expect((await readLayers(image, 's390x', signal))?.size).toBe(1);
    const failure = await failureOf(() => ensure([image]));
    expect(failure.message).toBe(`Cannot pull image "${image}": it is not made for this machine`);
  });

  test('fetches nothing when there is too little space, and says how much is missing', async () => {
    await using proxy = await MoodyProxy.start(registry.port);
    const failure = await failureOf(() => ensure([name('redis', '7', proxy.name)], { reserveMiB: 2 ** 40 }));
    expect(failure.outcome).toBe('noSpace');
    expect(failure.message).toContain(`are missing on "${engine.dataRoot}"`);
    const layers = await readLayers(name('redis', '7'), 'x86_64', signal);
    expect(layers?.size).toBeGreaterThan(0);
    for (const digest of layers?.keys() ?? [])
      expect(proxy.requests.filter((request) => request.endsWith(digest))).toEqual([]);
  });

  test('does not count layers that the version before has brought', async () => {
    await engine.docker(['pull', name('homie_core', '1.0.0')]);
    await ensure([name('homie_core', '2.0.0')], { reserveMiB: 0 });
    const line = log.lines.find((one) => one.startsWith('Images need about')) ?? '';
    expect(line).toMatch(/^Images need about [\d.]+ (B|KiB) on /);
  });
});

describe('ensureImages() with files of the bundle', () => {
  test.each([
    ['core.tar', 'cat'],
    ['core.tar.gz', 'gzip --fast --stdout'],
    ['core.tar.zst', 'zstd --stdout --quiet'],
  ])('loads %s when there is no network', async (file, compress) => {
    const core = name('homie_core', '1.0.0');
    await engine.docker(['pull', core]);
    mkdirSync(folder.at(file), { recursive: true });
    await Bun.$`docker save ${core} | ${{ raw: compress }} > ${folder.at(file, file)}`
      .env({ ...process.env })
      .quiet();
    await engine.docker(['image', 'rm', core]);
    await registry.stop();
    try {
      const report = await ensure([core], { folder: folder.at(file) });
      expect(report).toEqual({ present: [], loaded: [folder.at(file, file)], pulled: [] });
      expect(await hasImage(core)).toBe(true);
    } finally {
      await registry.start();
    }
  });

  test.each(['broken.tar', 'broken.tar.zst'])('names the file when %s is damaged', async (file) => {
    folder.write(`${file}.d/${file}`, 'no archive at all'.repeat(100));
    const failure = await failureOf(() => ensure([name('redis', '7')], { folder: folder.at(`${file}.d`) }));
    expect(failure.message).toStartWith(`Cannot load the images of "${file}": "`);
  });
});

describe('pullImage() on a disk that is full', () => {
  test.skipIf(!mayMount)('is a lack of space, told at once', async () => {
    using place = new TempFolder();
    await onSmallDisk(place, 120 * 1024, async (disk) => {
      await using small = await startEngine({ folder: place.at('engine'), dataRoot: `${disk.path}/docker` });
      using _environment = inEnvironment(small.environment);
      const image = name('redis', '7');
      const failure = await failureOf(() =>
        pullImage(image, { deadline: new Deadline(60_000), log, signal }),
      );
      expect(failure.message).toBe(`Cannot pull image "${image}": there is no space left`);
      expect(failure.outcome).toBe('noSpace');
    });
  });
});

describe('pruneImages() with a real engine', () => {
  test('removes just what no slot and no container needs, of our repositories only', async () => {
    const [core1, core2, core3] = ['1.0.0', '2.0.0', '2.0.2-slow'].map((tag) => name('homie_core', tag));
    const others = [name('redis', '7'), 'theirs/homie_core:1'];
    for (const image of [core1, core2, core3, others[0]]) await engine.docker(['pull', image ?? '']);
    await engine.docker(['tag', core1 ?? '', others[1] ?? '']);
    const kept = [core2, name('homie_core', 'not-here')].filter((image) => image !== undefined);
    await engine.docker(['create', '--name=holds', core3 ?? '']);
    try {
      expect(await pruneImages({ keep: kept, log, signal })).toEqual([core1 ?? '']);
      for (const image of [...others, core2, core3]) expect(await hasImage(image ?? '')).toBe(true);
      expect(log.lines.filter((line) => line.startsWith(`Cannot remove image "${core3}": `))).toHaveLength(1);
      expect(await pruneImages({ keep: [], log, signal })).toEqual([]);
    } finally {
      await engine.docker(['rm', 'holds']);
    }
  });

  test('keeps an image that a slot knows by its digest', async () => {
    const redis = name('redis', '7');
    await engine.docker(['pull', redis]);
    const { stdout } = await engine.docker(['image', 'inspect', '--format={{index .RepoDigests 0}}', redis]);
    expect(await pruneImages({ keep: [stdout.trim()], log, signal })).toEqual([]);
    expect(await hasImage(stdout.trim())).toBe(true);
  });
});
