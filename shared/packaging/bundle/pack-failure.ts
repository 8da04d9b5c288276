import { Failure, reasonOf } from '../../system/failure.ts';
import { CommandFailure } from '../../system/process/command.ts';

/** RAUC's bundle.c puts this before every reason that the key, the certificate or the keyring is. */
const ofKeys = /failed to sign (bundle|manifest): /;

/** The Failure for a `rauc bundle` that packed nothing; it advises about keys only where they are the reason. */
export function packFailure(name: string, error: unknown): Failure {
  const stderr = error instanceof CommandFailure ? error.stderr : '';
  const toolWords = /^(?:mksquashfs|FATAL ERROR|Write failed).*$/m.exec(stderr)?.[0];
  return new Failure(`Cannot pack and sign "${name}": ${reasonOf(error)}`, {
    ...(ofKeys.test(stderr) && {
      advice: 'Do certificate, key and keyring belong together? A passphrase goes into RAUC_KEY_PASSPHRASE',
    }),
    // RAUC itself says only that mksquashfs failed.
    ...(toolWords !== undefined && { cause: new Error(toolWords) }),
  });
}
