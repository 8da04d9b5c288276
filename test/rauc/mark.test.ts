import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { markActive, markGood } from '../../shared/rauc/mark.ts';
import { failureOf } from '../support/failure-of.ts';
import { allOutputs } from '../support/rauc/outputs.ts';
import { Scene } from '../support/scene/scene.ts';

let scene: Scene;
beforeEach(() => {
  scene = new Scene();
  scene.write('rauc-status.json', '');
});
afterEach(() => scene[Symbol.dispose]());

describe('markGood() and markActive()', () => {
  test('tell RAUC, and never to mark a slot bad', async () => {
    await scene.withTools(async () => {
      await markGood();
      await markActive('other');
      await markActive('booted');
    });
    expect(scene.calls()).toEqual([
      'rauc status mark-good booted',
      'rauc status mark-active other',
      'rauc status mark-active booted',
    ]);
  });

  test.each(allOutputs('mark').filter(({ output }) => output.exitCode !== 0))(
    'fail as what RAUC $version printed says: $name',
    async ({ name, output }) => {
      scene.write('fail-rauc-status', output.stderr);
      const failure = await scene.withTools(() => failureOf(() => markGood()));
      const isBusy = name.endsWith('-busy');
      expect(failure.outcome).toBe(isBusy ? 'busy' : 'failed');
      expect(failure.message).toEndWith(
        isBusy ? ': RAUC is busy with an install' : ': RAUC refused or did not answer',
      );
    },
  );

  test('name the slot and keep the words of RAUC when it refuses', async () => {
    scene.write('fail-rauc-status', 'rauc: fw_setenv: Permission denied\n');
    const failures = await scene.withTools(async () => [
      await failureOf(() => markGood()),
      await failureOf(() => markActive('other')),
    ]);
    expect(failures.map(({ message }) => message)).toEqual([
      'Cannot mark the booted slot good: RAUC refused or did not answer',
      'Cannot mark the other slot active: RAUC refused or did not answer',
    ]);
    for (const { cause } of failures) expect(String(cause)).toContain('fw_setenv: Permission denied');
  });
});
