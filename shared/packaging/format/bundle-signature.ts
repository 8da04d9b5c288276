import { closeSync, fstatSync, openSync, readFileSync, readSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../../system/failure.ts';
import { command } from '../../system/process/command.ts';

/** The end of a bundle, after its payload: the CMS signature, then its size in eight bytes, big-endian. */
export interface SignatureParts {
  payloadBytes: number;
  signature: Buffer;
}

const sizeBytes = 8;
/** Far above RAUC's own limit. A larger number is no signature's size, but the end of an unsigned file. */
const mostSignatureBytes = 16 * 1024 * 1024;
const opensslDeadlineMs = 30_000;

/** Returns `undefined` if the file does not end with a signature's size. Throws the system's error. */
export function readSignature(path: string): SignatureParts | undefined {
  const descriptor = openSync(path, 'r');
  try {
    const end = fstatSync(descriptor).size - sizeBytes;
    const trailer = Buffer.alloc(sizeBytes);
    if (end <= 0 || readSync(descriptor, trailer, 0, sizeBytes, end) < sizeBytes) return undefined;
    const size = trailer.readBigUInt64BE(0);
    if (size === 0n || size > mostSignatureBytes || size > end) return undefined;
    const signature = Buffer.alloc(Number(size));
    readSync(descriptor, signature, 0, signature.length, end - signature.length);
    return { payloadBytes: end - signature.length, signature };
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Extracts the signer's certificate, and the manifest if the signature holds it (verity, crypt). Does not verify the
 * signature. Writes into the folder; `cms` and `signer` are the paths of signature and certificate there. Throws a Failure.
 */
export async function openSignature(
  bundle: string,
  signature: Buffer,
  folder: string,
): Promise<{ cms: string; signer: string; manifest: string | undefined }> {
  const cms = join(folder, 'signature.der');
  const signer = join(folder, 'signer.pem');
  const manifest = join(folder, 'signed-manifest');
  writeFileSync(cms, signature);
  const verify = ['cms', '-verify', '-noverify', '-nosigs', '-inform', 'DER', '-in', cms, '-signer', signer];
  const openssl = command({ deadlineMs: opensslDeadlineMs, accept: 'any' });
  const inline = await openssl`openssl ${verify} -out ${manifest}`;
  if (inline.exitCode === 0) return { cms, signer, manifest: readFileSync(manifest, 'utf8') };
  const detached = await openssl`openssl ${verify} -out ${manifest} -content /dev/null`;
  if (detached.exitCode === 0) return { cms, signer, manifest: undefined };
  throw new Failure(`Cannot read the signature of the bundle "${bundle}": it is not one that OpenSSL knows`, {
    advice: 'Sign the bundle again',
    cause: new Error(detached.stderr.trim()),
  });
}
