import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import {
  createRequest,
  openssl,
  type Pair,
  signerExtensions,
  signerPair,
} from '../../../shared/packaging/pki/certificate.ts';
import { readCertificate, readKeyFolder } from '../../../shared/packaging/pki/key-folder.ts';
import { createKeys, type KeySet } from '../../../shared/packaging/pki/keys.ts';

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

/** `openssl x509 -req` of 3.0 cannot set the first day; `openssl ca` can. */
async function makeSignerFor(folder: string, keys: KeySet, from: string, until: string): Promise<KeySet> {
  const root = rootOf(keys);
  const pair = signerPair(folder);
  const desk = join(folder, 'ca');
  mkdirSync(desk, { recursive: true });
  try {
    writeFileSync(join(desk, 'index.txt'), '');
    writeFileSync(join(desk, 'ca.conf'), caConfig(desk));
    const request = await createRequest(desk, `Homie update signer ${from}`, pair.keyPath);
    await openssl(
      ...['ca', '-batch', '-notext', '-config', join(desk, 'ca.conf'), '-extensions', 'signer'],
      ...['-cert', root.certificatePath, '-keyfile', root.keyPath],
      ...['-startdate', from, '-enddate', until, '-in', request, '-out', pair.certificatePath],
    );
  } finally {
    rmSync(desk, { recursive: true, force: true });
  }
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

function caConfig(desk: string): string {
  return `[ca]
default_ca = here
[here]
database = ${desk}/index.txt
new_certs_dir = ${desk}
rand_serial = yes
default_md = sha256
policy = name_only
[name_only]
commonName = supplied
[signer]${signerExtensions}`;
}
