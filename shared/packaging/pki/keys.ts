import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Outcome } from '../../system/exit-code.ts';
import { Failure, reasonOf } from '../../system/failure.ts';
import { makeFolder } from '../../system/files/durable-file.ts';
import { isLock, tryLock } from '../../system/process/lock.ts';
import { addGeneration, addSigner, writeKeyring } from './generation.ts';
import {
  type KeyFolder,
  type NumberedPair,
  readCertificate,
  readKeyFolder,
  signerUnder,
} from './key-folder.ts';

/** The files that a bundle is signed with, and the keyring that it brings to the device. */
export interface KeySet {
  certificatePath: string;
  keyPath: string;
  /** Root certificates only, no key. */
  keyringPath: string;
  /** The signer's number. */
  generation: number;
}

/**
 * The keys to sign with now; undefined if there are none. During a rotation that is the *old* signer: a device without the
 * new keyring trusts no other, and a device with the new keyring trusts both. Throws Failure.
 */
export function findKeys(folder: string): KeySet | undefined {
  const keys = readKeyFolder(folder);
  if (keys.signers.length === 0) return undefined;
  const [oldest] = keys.trusted;
  if (oldest === undefined) throw missingKeyring(folder);
  const signer = signerUnder(oldest, keys);
  if (signer === undefined) {
    const reason = 'no signer in it is under the oldest root of the keyring';
    throw unusable(folder, reason, 'Put the missing signer folder back from your copy');
  }
  if (!existsSync(signer.keyPath)) {
    throw unusable(folder, `"${signer.keyPath}" is missing`, 'Put it back from your copy');
  }
  const end = readCertificate(signer.certificatePath).validTo;
  if (Date.parse(end) < Date.now()) {
    const reason = `signer ${signer.number} was good until ${end}`;
    throw unusable(folder, reason, 'Use keys renew to make the next one', 'signature');
  }
  return keySetOf(signer, keys);
}

/** Makes the first root, signer and keyring. Never replaces existing keys, but throws a usage Failure. */
export async function createKeys(folder: string): Promise<KeySet> {
  try {
    makeFolder(folder, 0o700);
  } catch (error) {
    throw new Failure(`Cannot make the folder "${folder}": ${reasonOf(error)}`, { cause: error });
  }
  return changing(folder, async (keys) => {
    if (keys.signers.length > 0) {
      throw new Failure(`Cannot create keys in "${folder}": there are keys already`, {
        outcome: 'usage',
        advice: 'Use keys rotate to replace them without locking out a device',
      });
    }
    await addGeneration(folder, keys);
  });
}

/** Adds a new root and a signer under it, and the root to the keyring. Returns the new keys. Throws Failure. */
export function rotateKeys(folder: string): Promise<KeySet> {
  return changingThere(folder, (keys) => addGeneration(folder, keys));
}

/** Adds a signer under the root in use, before the last signer expires; devices need nothing new. Throws Failure. */
export function renewSigner(folder: string): Promise<KeySet> {
  return changingThere(folder, async (keys) => {
    const inUse = keys.trusted[0]?.fingerprint256;
    const root = keys.roots.find(
      ({ certificatePath }) => readCertificate(certificatePath).fingerprint256 === inUse,
    );
    if (root === undefined) {
      throw new Failure(`Cannot make a signer in "${folder}": the oldest root of the keyring is not in it`, {
        advice: 'Bring the root back from where it is kept offline, for as long as this takes',
      });
    }
    await addSigner(folder, keys, root);
  });
}

/** Removes all roots but the newest from the keyring; from then on that root's signer signs. The files stay, for the record. */
export function dropOldRoots(folder: string): Promise<KeySet> {
  return changingThere(folder, (keys) => {
    const newest = keys.trusted.at(-1);
    if (newest === undefined || signerUnder(newest, keys) === undefined) {
      throw new Failure(`Cannot drop old roots in "${folder}": no signer in it is under the newest root`, {
        advice: 'Run keys rotate again, to finish the interrupted change',
      });
    }
    if (keys.trusted.length > 1) writeKeyring(keys.keyringPath, [newest]);
  });
}

type Change = (keys: KeyFolder) => Promise<void> | void;

/** Refuses a folder without a keyring: a rotation would write one with the new root only, and lock devices out. */
async function changingThere(folder: string, work: Change): Promise<KeySet> {
  const keys = readKeyFolder(folder);
  if (keys.signers.length > 0 && keys.trusted.length > 0) return changing(folder, work);
  if (keys.signers.length > 0) throw missingKeyring(folder);
  throw new Failure(`Cannot change the keys in "${folder}": there are none`, {
    outcome: 'usage',
    advice: 'Use keys create first',
  });
}

/** Holds the folder's lock, so that two programs never take the same number. Returns the newest keys. */
async function changing(folder: string, work: Change): Promise<KeySet> {
  const lock = tryLock(join(folder, '.lock'), 'keys');
  if (!isLock(lock)) {
    throw new Failure(`Cannot change the keys in "${folder}": another program is at it`, { outcome: 'busy' });
  }
  try {
    await work(readKeyFolder(folder));
    const keys = readKeyFolder(folder);
    const newest = keys.signers.at(-1);
    if (newest === undefined) throw unusable(folder, 'there is no signer in it', 'Use keys create again');
    return keySetOf(newest, keys);
  } finally {
    lock.release();
  }
}

function keySetOf(signer: NumberedPair, keys: KeyFolder): KeySet {
  const { certificatePath, keyPath, number } = signer;
  return { certificatePath, keyPath, keyringPath: keys.keyringPath, generation: number };
}

function missingKeyring(folder: string): Failure {
  const advice =
    'Put it back from your copy, or join the root.cert.pem files that devices trust, oldest first';
  return unusable(folder, '"keyring.pem" is missing or empty', advice);
}

function unusable(folder: string, reason: string, advice: string, outcome: Outcome = 'failed'): Failure {
  return new Failure(`Cannot use the keys in "${folder}": ${reason}`, { advice, outcome });
}
