import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { installBundle, RaucRefusal } from '../../shared/rauc/install.ts';
import type { Failure } from '../../shared/system/failure.ts';
import { failureOf } from '../support/failure-of.ts';
import { Scene } from '../support/scene/scene.ts';

let scene: Scene;
beforeEach(() => {
  scene = new Scene();
});
afterEach(() => scene[Symbol.dispose]());

function failing(script: string): Promise<Failure> {
  scene.write('rauc-install.sh', script);
  return scene.withTools(() => failureOf(() => installBundle('/x.raucb')));
}

describe('installBundle()', () => {
  test('hands on the progress of RAUC as it comes', async () => {
    scene.write(
      'rauc-install.sh',
      `printf 'installing\\n  0%% Installing\\n 20%% Determining slot states done.\\n'
printf '100%% Installing done.\\nidle\\nInstalling x succeeded'`,
    );
    const progress: [number, string][] = [];
    await scene.withTools(() =>
      installBundle('/x.raucb', { onProgress: (percent, what) => progress.push([percent, what]) }),
    );
    expect(progress).toEqual([
      [0, 'Installing'],
      [20, 'Determining slot states done.'],
      [100, 'Installing done.'],
    ]);
  });

  test('fails with the LastError of RAUC', async () => {
    const failure = await failing(
      'echo "LastError: Bundle rejected: no"; echo "Installing x failed" >&2; exit 1',
    );
    expect(failure).toBeInstanceOf(RaucRefusal);
    expect(failure.message).toBe('Cannot install "/x.raucb": Bundle rejected: no');
    expect(failure.outcome).toBe('failed');
  });

  test("says what the exit code of the system's own check means, whose words RAUC keeps in its log", async () => {
    const lastError = 'Pre-install handler error: Child process exited with code 10';
    const failure = await failing(`echo "LastError: ${lastError}"; exit 1`);
    expect(failure).toBeInstanceOf(RaucRefusal);
    expect(failure.message).toBe(
      `Cannot install "/x.raucb": system-check refused it: incompatible or older version`,
    );
    expect([failure.outcome, failure.advice]).toEqual([
      'incompatible',
      'See "journalctl -u rauc" for its reason',
    ]);
  });

  test('fails with the last line of RAUC when there is no LastError', async () => {
    const failure = await failing('echo "No such file" >&2; exit 1');
    expect(failure).not.toBeInstanceOf(RaucRefusal);
    expect(failure.message).toBe('Cannot install "/x.raucb": "rauc" ended with 1 (No such file)');
  });

  test('is busy when RAUC installs another one', async () => {
    const failure = await failing(
      'echo "Failed GDBus.Error:…: Already processing a different method" >&2; echo "D-Bus error while installing" >&2; exit 2',
    );
    expect([failure.message, failure.outcome]).toEqual([
      'Cannot install "/x.raucb": RAUC is busy with another one',
      'busy',
    ]);
  });

  test('is to be tried later when the service does not answer', async () => {
    const failure = await failing('echo "D-Bus error while installing" >&2; exit 2');
    expect([failure.message, failure.outcome]).toEqual([
      'Cannot install "/x.raucb": RAUC does not answer',
      'tryLater',
    ]);
  });
});
