import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { inspectBundle, parseInfo } from '../../shared/rauc/info.ts';
import { failureOf } from '../support/failure-of.ts';
import { Scene } from '../support/scene/scene.ts';

let scene: Scene;
beforeEach(() => {
  scene = new Scene();
});
afterEach(() => scene[Symbol.dispose]());

describe('inspectBundle()', () => {
  test('describes the bundle at any path', async () => {
    scene.write('rauc-info.json', '{"compatible":"x","version":"1.1.0","hooks":[]}');
    expect(await scene.withTools(() => inspectBundle("/a b/it's $new.raucb"))).toEqual({
      compatible: 'x',
      version: '1.1.0',
    });
    expect(scene.calls()).toEqual(["rauc info --output-format=json /a b/it's $new.raucb"]);
  });

  test('is a signature Failure with the last line of RAUC when RAUC refuses', async () => {
    scene.write(
      'fail-rauc-info',
      'rauc-Message: 10:00:00.000: Reading bundle: x\n(rauc:12): signature verification failed: self signed certificate\n\n',
    );
    const failure = await scene.withTools(() => failureOf(() => inspectBundle('/x.raucb')));
    expect(failure.message).toBe(
      'Cannot verify "/x.raucb": signature verification failed: self signed certificate',
    );
    expect(failure.outcome).toBe('signature');
  });

  test('is no matter of the signature when rauc is not there or is ended', async () => {
    scene.fake('rauc', 'exec /nowhere/rauc');
    const failure = await scene.withTools(() => failureOf(() => inspectBundle('/x.raucb')));
    expect([failure.message, failure.outcome]).toEqual([
      'Cannot verify "/x.raucb": "rauc" is not on this system',
      'failed',
    ]);

    scene.fake('rauc', 'kill -KILL $$');
    const ended = await scene.withTools(() => failureOf(() => inspectBundle('/x.raucb')));
    expect(ended.outcome).toBe('failed');
  });
});

describe('parseInfo()', () => {
  test('knows no version when the bundle names none', () => {
    expect(parseInfo('{"compatible":"x","version":null}', 'x').version).toBeUndefined();
  });

  test.each(['', '[]', '{"version":"1.0.0"}'])('throws a Failure when RAUC answers %p', async (json) => {
    expect((await failureOf(() => parseInfo(json, '/x.raucb'))).message).toBe(
      'Cannot verify "/x.raucb": RAUC answered in an unknown form',
    );
  });
});
