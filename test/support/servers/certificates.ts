import { mkdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import {
  createRequest,
  type Pair,
  signerExtensions,
  signerPair,
} from '../../../shared/packaging/pki/certificate.ts';
import { readCertificate, readKeyFolder } from '../../../shared/packaging/pki/key-folder.ts';
import { createKeys, type KeySet } from '../../../shared/packaging/pki/keys.ts';
import { signDated } from './dated-certificate.ts';

/** Signers that a device must refuse, made by openssl itself. */

/** A signer under the same root, good through 2001 only. The folder is made. */
export function makeExpiredSigner(folder: string, keys: KeySet): Promise<KeySet> {
  return makeSignerFor(folder, keys, '20010101000000Z', '20011231235959Z');
}

/** A signer under the same root, good from 2090 on. The folder is made. */
export function makeFutureSigner(folder: string, keys: KeySet): Promise<KeySet> {
  return makeSignerFor(folder, keys, '20900101000000Z', '20911231235959Z');
}

/** A complete foreign set, with the same names as ours. */
export function makeForeignKeys(folder: string): Promise<KeySet> {
  return createKeys(folder);
}

async function makeSignerFor(folder: string, keys: KeySet, from: string, until: string): Promise<KeySet> {
  const work = join(folder, 'request');
  mkdirSync(work, { recursive: true });
  const pair = signerPair(folder);
  const request = await createRequest(work, `Homie update signer ${from}`, pair.keyPath);
  await signDated(join(folder, 'ca'), {
    request,
    ca: rootOf(keys),
    extensions: signerExtensions,
    from,
    until,
    output: pair.certificatePath,
  });
  rmSync(work, { recursive: true });
  return { ...pair, keyringPath: keys.keyringPath, generation: keys.generation };
}

function rootOf(keys: KeySet): Pair {
  const signer = readCertificate(keys.certificatePath);
  const root = readKeyFolder(dirname(keys.keyringPath)).roots.find(({ certificatePath }) => {
    return signer.verify(readCertificate(certificatePath).publicKey);
  });
  if (root === undefined) throw new Error(`no root of "${keys.certificatePath}" beside its keyring`);
  return root;
}
