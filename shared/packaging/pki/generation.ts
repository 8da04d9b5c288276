import type { X509Certificate } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../../system/failure.ts';
import { renameDurably, writeDurably } from '../../system/files/durable-file.ts';
import { createRoot, createSigner, type Pair, rootPair } from './certificate.ts';
import { isTrusted, type KeyFolder, nextNumber, readCertificate, signerUnder } from './key-folder.ts';

/** Adds new keys to the folder: made in a staging folder, then renamed into place, so that each is whole or not there. */

const stagingName = '.making';

/**
 * Adds a root and a signer under it, in the order root, keyring, signer. The signer comes last, because root and keyring
 * take effect only with it. A root without a signer comes from an interrupted run; it is used, never replaced.
 */
export async function addGeneration(folder: string, keys: KeyFolder): Promise<void> {
  const last = keys.roots.at(-1);
  if (last !== undefined && signerUnder(readCertificate(last.certificatePath), keys) === undefined) {
    await addSigner(folder, keys, last);
    return;
  }
  await staging(folder, async (stage) => {
    const number = nextNumber(keys.roots);
    const root = await createRoot(join(stage, 'root'), `Homie update root ${number}`);
    await createSigner(join(stage, 'signer'), signerName(keys), root);
    const place = join(folder, `root-${number}`);
    renameDurably(join(stage, 'root'), place);
    trust(rootPair(place), keys);
    placeSigner(folder, keys, stage);
  });
}

/** Adds a signer under an existing root; only this needs the root's key. Throws a Failure if the root's files are missing. */
export async function addSigner(folder: string, keys: KeyFolder, root: Pair): Promise<void> {
  for (const path of [root.keyPath, root.certificatePath]) {
    if (existsSync(path)) continue;
    throw new Failure(`Cannot make a signer in "${folder}": "${path}" is missing`, {
      advice: 'Bring the root back from where it is kept offline, for as long as this takes',
    });
  }
  await staging(folder, async (stage) => {
    await createSigner(join(stage, 'signer'), signerName(keys), root);
    trust(root, keys);
    placeSigner(folder, keys, stage);
  });
}

function trust(root: Pair, keys: KeyFolder): void {
  const certificate = readCertificate(root.certificatePath);
  if (isTrusted(certificate, keys)) return;
  writeKeyring(keys.keyringPath, [...keys.trusted, certificate]);
}

/** Writes root certificates, the oldest first. Every user may read the file, with any umask: it is copied into images. */
export function writeKeyring(path: string, roots: readonly X509Certificate[]): void {
  writeDurably(path, roots.map(String).join(''));
  chmodSync(path, 0o644);
}

function placeSigner(folder: string, keys: KeyFolder, stage: string): void {
  const place = join(folder, `signer-${nextNumber(keys.signers)}`);
  renameDurably(join(stage, 'signer'), place);
}

function signerName(keys: KeyFolder): string {
  return `Homie update signer ${nextNumber(keys.signers)}`;
}

/** In the same folder, because a rename must not leave the file system. Remains of a killed run are removed first. */
async function staging(folder: string, work: (stage: string) => Promise<void>): Promise<void> {
  const stage = join(folder, stagingName);
  rmSync(stage, { recursive: true, force: true });
  mkdirSync(stage, { mode: 0o700 });
  try {
    await work(stage);
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
}
