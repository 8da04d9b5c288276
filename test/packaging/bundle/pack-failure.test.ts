import { describe, expect, test } from 'bun:test';
import { packFailure } from '../../../shared/packaging/bundle/pack-failure.ts';
import { CommandFailure } from '../../../shared/system/process/command.ts';
import { allOutputs } from '../../support/rauc/outputs.ts';

const ofKeys = [
  'other-key',
  'no-key-in-file',
  'key-missing',
  'certificate-missing',
  'other-keyring',
  'no-passphrase',
  'no-token',
];

describe('packFailure() of what real RAUCs printed', () => {
  test.each(allOutputs('bundle').filter(({ output }) => output.exitCode !== 0))(
    'advises about keys only where they are the reason: $version, $name',
    ({ name, output: { exitCode, stderr } }) => {
      const last = stderr.trim().split('\n').at(-1) ?? '';
      const failure = packFailure(
        'x.raucb',
        new CommandFailure(`"rauc" ended with 1 (${last})`, exitCode, stderr),
      );
      expect(failure.message).toBe(`Cannot pack and sign "x.raucb": "rauc" ended with 1 (${last})`);
      expect(failure.advice?.includes('certificate, key and keyring') ?? false).toBe(ofKeys.includes(name));
    },
  );

  test('keeps the words of mksquashfs, which RAUC does not repeat', () => {
    const words = 'FATAL ERROR: Failed to write to output filesystem';
    const stderr = `${words}\nFailed to create bundle: Failed to run mksquashfs: Child process exited with code 1\n`;
    const failure = packFailure('x.raucb', new CommandFailure('"rauc" ended with 1', 1, stderr));
    expect(failure.cause).toEqual(new Error(words));
    expect(failure.advice).toBeUndefined();
  });
});
