import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { rmSync } from 'node:fs';
import { readBundleFacts } from '../../shared/rauc/bundle-facts.ts';
import { failureOf } from '../support/failure-of.ts';
import { Scene } from '../support/scene/scene.ts';

let scene: Scene;
beforeEach(() => {
  scene = new Scene();
});
afterEach(() => scene[Symbol.dispose]());

describe('readBundleFacts()', () => {
  test('reads manifest, image and our facts file', () => {
    scene.write('bundle/update-hooks/bundle.json', '{"architecture": "arm64"}');
    expect(readBundleFacts(scene.bundle)).toEqual({
      compatible: 'jetson-nano-homie',
      version: '1.1.0',
      architecture: 'arm64',
      imageBytes: 5,
    });
  });

  test('finds the facts file of a flat bundle', () => {
    scene.write('bundle/bundle.json', '{"architecture": "x64"}');
    expect(readBundleFacts(scene.bundle).architecture).toBe('x64');
  });

  test('leaves out what a bundle of others does not have', () => {
    rmSync(scene.at('bundle/rootfs.ext4'));
    expect(readBundleFacts(scene.bundle)).toMatchObject({ architecture: undefined, imageBytes: undefined });
    scene.write('bundle/manifest.raucm', '[update]\ncompatible=x\nversion=1.0.0\n');
    scene.write('bundle/update-hooks/bundle.json', '{"more": 1}');
    expect(readBundleFacts(scene.bundle)).toMatchObject({ architecture: undefined, imageBytes: undefined });
  });

  test.each([
    ['compatible', 'version=1.0.0'],
    ['version', 'compatible=x'],
  ])('refuses as incompatible when the manifest names no %s', async (key, line) => {
    scene.write('bundle/manifest.raucm', `[update]\n${line}\n`);
    const failure = await failureOf(() => readBundleFacts(scene.bundle));
    expect(failure.message).toBe(
      `Cannot use the manifest "${scene.at('bundle/manifest.raucm')}": it names no ${key}`,
    );
    expect(failure.outcome).toBe('incompatible');
  });

  test('fails, naming the file, when there is no manifest or the facts file is damaged', async () => {
    scene.write('bundle/update-hooks/bundle.json', '{"archi');
    expect((await failureOf(() => readBundleFacts(scene.bundle))).message).toStartWith(
      `Cannot read "${scene.at('bundle/update-hooks/bundle.json')}": `,
    );
    expect((await failureOf(() => readBundleFacts('/nowhere'))).message).toBe(
      'Cannot read the manifest "/nowhere/manifest.raucm": no such file or folder',
    );
  });
});
