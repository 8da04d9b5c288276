import type { X509Certificate } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../../system/failure.ts';
import { renameDurably, writeDurably } from '../../system/files/durable-file.ts';
import { createRoot, createSigner, type Pair, rootPair } from './certificate.ts';
import { isTrusted, type KeyFolder, nextNumber, readCertificate, signerUnder } from './key-folder.ts';

/** How new keys come into the folder: made aside, then renamed into place, so that each is whole or not there. */

const stagingName = '.making';

/**
 * Adds a root and a signer under it. Root, then keyring, then signer: the signer comes last, for it makes the
 * rest count. A root without a signer is what a run that was cut short has left; it is used, never replaced.
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

/** Adds a signer under a root that is there, which is the only time that the root's key is needed. */
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

/** Root certificates, the oldest first, for everybody to read whatever the umask: it is copied into images. */
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

/** In the same folder, for a rename must not leave the file system; what a killed run left in it goes first. */
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
