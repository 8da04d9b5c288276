import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { loadImages } from '../../../shared/stack/images/image-load.ts';
import { Scene } from '../../support/scene/scene.ts';

/** Docker reads zstd only from version 23 on: where there is a zstd, that unpacks the file for it. */

let scene: Scene;
beforeEach(() => {
  scene = new Scene();
  scene.fake('docker', 'case "$*" in *--input=*) ;; *) cat > loaded ;; esac');
  scene.write('images/core.tar', 'plain');
  scene.write('images/core.tar.zst', Bun.zstdCompressSync(Buffer.from('packed')));
});
afterEach(() => scene[Symbol.dispose]());

const { signal } = new AbortController();
const load = (file: string): Promise<void> =>
  scene.withTools(() => loadImages(scene.at('images', file), 20_000, signal));

describe('loadImages()', () => {
  test('lets zstd unpack what docker may not be able to read', async () => {
    await load('core.tar.zst');
    expect(scene.calls()).toEqual(['docker load --quiet']);
    expect(scene.read('loaded')).toBe('packed');
  });

  test('lets docker read it where there is no zstd', async () => {
    scene.fake('zstd', 'echo "sh: zstd: not found" >&2; exit 127');
    await load('core.tar.zst');
    expect(scene.calls().at(-1)).toBe(`docker load --quiet --input=${scene.at('images/core.tar.zst')}`);
  });

  test('hands a tar to docker as it is', async () => {
    await load('core.tar');
    expect(scene.calls()).toEqual([`docker load --quiet --input=${scene.at('images/core.tar')}`]);
  });
});
