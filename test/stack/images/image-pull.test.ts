import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { pullImage } from '../../../shared/stack/images/image-pull.ts';
import { Deadline } from '../../../shared/system/deadline.ts';
import type { Log } from '../../../shared/system/terminal/log.ts';
import { failureOf } from '../../support/failure-of.ts';
import { isAlive } from '../../support/processes.ts';
import { Scene } from '../../support/scene/scene.ts';

let scene: Scene;
const lines: string[] = [];
beforeEach(() => {
  scene = new Scene();
  lines.length = 0;
});
afterEach(() => scene[Symbol.dispose]());

const say = (line: string): void => void lines.push(line);
const log: Log = {
  info: say,
  warn: say,
  error: say,
  alsoTo: say,
  lastLine: '',
  step: (_a, _b, _c, work) => work(),
};
const patience = { firstPauseMs: 10, longestPauseMs: 40 };

function pull(deadlineMs: number, signal = new AbortController().signal): Promise<void> {
  return scene.withTools(() =>
    pullImage('homie/core:2', { deadline: new Deadline(deadlineMs), log, signal, patience }),
  );
}

/** Fails so often with these words, then works. */
function failing(times: number, words: string): void {
  scene.fake('docker', `if [ "$(wc -l < calls)" -le ${times} ]; then echo '${words}' >&2; exit 1; fi`);
}

describe('pullImage()', () => {
  test('tries again what can heal, and says so', async () => {
    failing(3, 'toomanyrequests');
    await pull(60_000);
    expect(scene.calls()).toEqual(Array(4).fill('docker pull homie/core:2'));
    expect(lines).toHaveLength(3);
    expect(lines[0]).toStartWith(
      'Cannot pull image "homie/core:2" yet: the registry gets too many requests; trying again in',
    );
  });

  test('does not try again what cannot', async () => {
    failing(9, 'Error response from daemon: manifest for x not found: manifest unknown');
    const failure = await failureOf(() => pull(60_000));
    expect(failure.message).toBe('Cannot pull image "homie/core:2": the registry does not have it');
    expect(failure.outcome).toBe('failed');
    expect(String(failure.cause)).toContain('manifest unknown');
    expect(scene.calls()).toHaveLength(1);
  });

  test('stops when the deadline would pass before the next attempt, and says how often it tried', async () => {
    failing(99_999, 'connection refused');
    const failure = await failureOf(() => pull(600));
    expect(failure.message).toMatch(
      /^Cannot pull image "homie\/core:2": the registry refuses connections, \d+ times in 0\.\d s$/,
    );
    expect(failure.outcome).toBe('tryLater');
    expect(String(failure.cause)).toBe('connection refused');
  });

  test('does not wait for a registry that asks for more time than there is', async () => {
    failing(9, 'toomanyrequests: retry-after: 1h');
    const failure = await failureOf(() => pull(60_000));
    expect(failure.outcome).toBe('tryLater');
    expect(scene.calls()).toHaveLength(1);
  });

  test('ends a pull that hangs at the deadline, leaving no child', async () => {
    scene.fake('docker', '');
    scene.write('hang-docker-pull', '');
    const failure = await failureOf(() => pull(1_500));
    expect(failure.message).toStartWith('Cannot pull image "homie/core:2": it did not end in time');
    expect(isAlive(Number(scene.read('hanging')))).toBe(false);
  });

  test('ends when it is told to', async () => {
    failing(99_999, 'connection refused');
    const ended = await pull(60_000, AbortSignal.timeout(200)).catch((error: unknown) => error);
    expect(ended).toMatchObject({ name: 'TimeoutError' });
  });
});
