import { X509Certificate } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Failure, isMissing, reasonOf } from '../../system/failure.ts';
import { type Pair, rootPair, signerPair } from './certificate.ts';

/** Reads a folder of keys: `root-1/`, `signer-1/` and so on, and the keyring that devices get. */

export interface NumberedPair extends Pair {
  number: number;
}

export interface KeyFolder {
  keyringPath: string;
  /** The roots that devices are told to trust, the oldest first: the keyring's own order. */
  trusted: X509Certificate[];
  roots: NumberedPair[];
  signers: NumberedPair[];
}

/** Reads the folder; a missing one is empty. The roots' keys may be elsewhere: they belong offline. Throws Failure. */
export function readKeyFolder(folder: string): KeyFolder {
  const keyringPath = join(folder, 'keyring.pem');
  return {
    keyringPath,
    trusted: existsSync(keyringPath) ? splitKeyring(readPem(keyringPath)).map(parsed(keyringPath)) : [],
    roots: numbered(folder, 'root', rootPair),
    signers: numbered(folder, 'signer', signerPair),
  };
}

/** The newest signer whose certificate that root has signed. */
export function signerUnder(root: X509Certificate, keys: KeyFolder): NumberedPair | undefined {
  return keys.signers.findLast(({ certificatePath }) => {
    const signer = readCertificate(certificatePath);
    return signer.checkIssued(root) && signer.verify(root.publicKey);
  });
}

export function isTrusted(root: X509Certificate, keys: KeyFolder): boolean {
  return keys.trusted.some((trusted) => trusted.fingerprint256 === root.fingerprint256);
}

export function readCertificate(path: string): X509Certificate {
  return parsed(path)(readPem(path));
}

/** Returns one PEM block for each certificate. Comments between the blocks are ignored, as openssl does. */
export function splitKeyring(text: string): string[] {
  return text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
}

/** One more than the highest number in use, so that no number ever means two keys. */
export function nextNumber(pairs: readonly NumberedPair[]): number {
  return (pairs.at(-1)?.number ?? 0) + 1;
}

function numbered(folder: string, kind: string, pairIn: (folder: string) => Pair): NumberedPair[] {
  return namesIn(folder)
    .map((name) => ({ name, number: Number(new RegExp(`^${kind}-([1-9]\\d*)$`).exec(name)?.[1]) }))
    .filter(({ number }) => Number.isInteger(number))
    .map(({ name, number }) => ({ number, ...pairIn(join(folder, name)) }))
    .sort((left, right) => left.number - right.number);
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (isMissing(error) && !existsSync(folder)) return [];
    throw new Failure(`Cannot read the keys in "${folder}": ${reasonOf(error)}`, { cause: error });
  }
}

function readPem(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new Failure(`Cannot read the certificate "${path}": ${reasonOf(error)}`, { cause: error });
  }
}

function parsed(path: string): (pem: string) => X509Certificate {
  return (pem) => {
    try {
      return new X509Certificate(pem);
    } catch (error) {
      throw new Failure(`Cannot read the certificate "${path}": it is none`, {
        advice: 'Put it back from your copy',
        cause: error,
      });
    }
  };
}
