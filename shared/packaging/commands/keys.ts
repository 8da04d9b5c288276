import type { Outcome } from '../../system/exit-code.ts';
import type { Running } from '../../system/process/program.ts';
import type { Values } from '../../system/terminal/arguments.ts';
import { print } from '../../system/terminal/print.ts';
import { createKeys, dropOldRoots, type KeySet, renewSigner, rotateKeys } from '../pki/keys.ts';
import { project } from '../project.ts';

const changes: Record<string, { work: (folder: string) => Promise<KeySet>; says: string }> = {
  create: { work: createKeys, says: 'A root, a signer under it, and the keyring for devices' },
  rotate: { work: rotateKeys, says: 'A second root and signer; the keyring trusts both roots' },
  renew: { work: renewSigner, says: 'A new signer under the same root' },
  'drop-old': { work: dropOldRoots, says: 'The keyring trusts the newest root alone' },
};

export async function changeKeys(values: Values, { log }: Running): Promise<Outcome> {
  const action = values.text('action') ?? 'create';
  const change = changes[action];
  if (change === undefined) throw new Error(`no such change: ${action}`); // the choices in buildSpec exclude it
  const keys = await change.work(project.keys);
  log.info(`${change.says}, in "${project.keys}"`);
  print(1, `signer   ${keys.certificatePath}\nkey      ${keys.keyPath}\nkeyring  ${keys.keyringPath}\n`);
  if (action === 'rotate')
    log.info('Bring the new keyring to all devices with an update, then use "keys drop-old"');
  return 'done';
}

export const keyActions = Object.keys(changes);
