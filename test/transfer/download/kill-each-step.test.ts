import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { nativeHook } from '../../support/build/native-programs.ts';
import { Scene } from '../../support/scene/scene.ts';
import { seed } from '../../support/seed.ts';
import { honest, someBytes } from '../../support/servers/file-server.ts';
import { HostileServer } from '../../support/servers/hostile-server.ts';
import { byTier } from '../../support/tier.ts';

/**
 * Power fails before or after any step of update.sh, from the server to RAUC: the next run comes to the same end. Each third
 * step in `npm test`, from one that the seed draws.
 */

const stride = byTier({ quick: 3, all: 1, deep: 1 });

const file = { bytes: someBytes(2_500_000), etag: '"x"' };

describe('update.sh with a URL, cut at any step', () => {
  let server: HostileServer;
  beforeAll(async () => {
    server = await HostileServer.start(honest(() => file));
  }, 120_000);
  afterAll(() => server[Symbol.asyncDispose]());

  function run(scene: Scene, fault: string): Promise<number> {
    return Bun.spawn([nativeHook, 'update.sh'], {
      cwd: '/',
      env: { ...scene.programEnv, HOMIE_FAULT: fault },
      stdin: 'ignore',
      stdout: 'ignore',
      stderr: Bun.file(scene.at('stderr')),
    }).exited;
  }

  test('installs the very bytes in the next run, and leaves no download', async () => {
    let step = (seed % stride) + 1 - stride;
    for (let isCut = true; isCut; ) {
      step += stride;
      using scene = new Scene();
      scene.configure({ reserve_mib: 0, url: server.url });
      scene.write('root/etc/rauc/system.conf', '[system]\ncompatible=jetson-nano-homie\n');
      scene.write('rauc-info.json', '{"compatible":"jetson-nano-homie","version":"1.1.0"}');
      scene.write('rauc-install.sh', 'cp "$2" seen');
      const first = await run(scene, `kill@${step}`);
      isCut = first === 137;
      if (!isCut) expect(first).toBe(4);
      const next = await run(scene, '');
      const story = { step, next, said: scene.read('stderr') };
      expect(story).toMatchObject({ next: existsSync(scene.at('seen')) && next === 0 ? 0 : 4 });
      expect(readFileSync(scene.at('seen')).equals(file.bytes), JSON.stringify(story)).toBe(true);
      expect({ ...story, left: readdirSync(scene.at('data/update/download')) }).toMatchObject({ left: [] });
      expect(await run(scene, '')).toBe(0);
    }
    expect(step).toBeGreaterThan(30);
  }, 180_000);
});
