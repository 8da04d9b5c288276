import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { failureOf } from '../../support/failure-of.ts';
import { TempFolder } from '../../support/temp-folder.ts';
import { startEngine } from './engine.ts';
import type { EnginePlace } from './engine-place.ts';
import { imageName, stackImages } from './images.ts';
import { startRegistry } from './registry.ts';
import { type Traces, tracesOf } from './traces.ts';
import { waitFor } from './wait-for.ts';

setDefaultTimeout(60_000);
let images = '';
beforeAll(async () => {
  images = await stackImages();
}, 600_000);

describe('startEngine() leaves nothing on the machine', () => {
  const folder = new TempFolder();
  afterAll(() => folder[Symbol.dispose]());

  test('when it is disposed of while containers run on a network with a published port', async () => {
    const before = await tracesOf(folder.at('whole'));
    let during: Traces;
    {
      await using engine = await startEngine({ folder: folder.at('whole') });
      await using registry = await startRegistry({ folder: folder.at('registry'), images });
      const redis = imageName(registry.name, 'redis', '7');
      await engine.docker(['network', 'create', 'home']);
      await engine.docker(['run', '-d', '--network=home', '--publish=127.0.0.1::6379', redis]);
      during = await tracesOf(engine.folder, engine.place.number);
    }
    expect(during.processes).toBeGreaterThan(5);
    expect(during.bridges).toHaveLength(1);
    expect(during.cgroups).not.toEqual([]);
    expect(during.packetFilter).toEqual(before.packetFilter);
    expect(await tracesOf(folder.at('whole'))).toEqual(before);
    expect(before.folders).not.toContain(folder.at('whole'));
  });

  test('when it fails half-way', async () => {
    const before = await tracesOf(folder.at('half'));
    const dataRoot = folder.at('spoilt');
    mkdirSync(join(dataRoot, 'network/files/local-kv.db'), { recursive: true });
    const failure = await failureOf(() => startEngine({ folder: folder.at('half'), dataRoot }));
    expect(failure.message).toStartWith(`Cannot start an engine in "${folder.at('half')}": it has ended (`);
    expect(await tracesOf(folder.at('half'))).toEqual(before);
  });

  test('when it is stopped while it starts', async () => {
    const before = await tracesOf(folder.at('aborted'));
    const signal = AbortSignal.timeout(30);
    const starting = startEngine({ folder: folder.at('aborted'), signal });
    expect(await starting.catch((error: unknown) => error)).toBe(signal.reason);
    expect(await tracesOf(folder.at('aborted'))).toEqual(before);
  });

  test('of an owner that was killed, at the next start', async () => {
    const before = await tracesOf(folder.at('engine'));
    const program = join(import.meta.dir, 'programs/own-engine.ts');
    const owner = Bun.spawn([process.execPath, program, folder.path, images], {
      stdout: 'pipe',
      stderr: 'inherit',
    });
    const { value } = await owner.stdout.getReader().read();
    const orphan: EnginePlace = JSON.parse(new TextDecoder().decode(value));
    owner.kill('SIGKILL');
    await owner.exited;
    await waitFor(
      'the engine to end with its owner',
      async () => (await tracesOf(orphan.folder)).processes === 0,
    );
    const left = await tracesOf(orphan.folder, orphan.number);
    expect(left.bridges).toHaveLength(1);
    expect(left.folders).toContain(orphan.folder);

    await (await startEngine({ folder: folder.at('next') }))[Symbol.asyncDispose]();
    expect(await tracesOf(orphan.folder)).toEqual(before);
  });
});

describe('startEngine() refuses', () => {
  test('when the folder holds something, and leaves that as it is', async () => {
    using folder = new TempFolder();
    folder.write('mine', 'kept');
    const failure = await failureOf(() => startEngine({ folder: folder.path }));
    expect(failure.message).toContain('it is not empty');
    expect(folder.read('mine')).toBe('kept');
  });
});

test('two engines do not disturb each other when one of them ends', async () => {
  using folder = new TempFolder();
  await using registry = await startRegistry({ folder: folder.at('registry'), images });
  await using one = await startEngine({ folder: folder.at('one') });
  const other = await startEngine({ folder: folder.at('other') });
  for (const engine of [one, other]) {
    await engine.docker(['network', 'create', 'home']);
    await engine.docker([
      'run',
      '-d',
      '--network=home',
      '--name=redis',
      imageName(registry.name, 'redis', '7'),
    ]);
  }
  await other[Symbol.asyncDispose]();
  const { stdout } = await one.docker(['exec', 'redis', 'redis-cli', '-h', 'redis', 'ping']);
  expect(stdout).toBe('PONG\n');
});
