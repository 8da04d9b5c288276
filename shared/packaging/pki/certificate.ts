import { randomBytes } from 'node:crypto';
import { chmodSync, closeSync, fsyncSync, mkdirSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../../system/failure.ts';
import { syncFolder } from '../../system/files/durable-file.ts';
import { command } from '../../system/process/command.ts';

/** Makes one key and its certificate with openssl: the root that devices trust, or a signer under it. */

export interface Pair {
  keyPath: string;
  certificatePath: string;
}

const opensslDeadlineMs = 60_000;
const rootDays = 20 * 365;
const signerDays = 2 * 365;

const rootExtensions = `
basicConstraints = critical, CA:TRUE, pathlen:0
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
`;

/** RAUC's default purpose asks for emailProtection, its `check-purpose=codesign` for codeSigning: the signer has both. */
export const signerExtensions = `
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = codeSigning, emailProtection
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid:always
`;

export function rootPair(folder: string): Pair {
  return { keyPath: join(folder, 'root.key.pem'), certificatePath: join(folder, 'root.cert.pem') };
}

export function signerPair(folder: string): Pair {
  return { keyPath: join(folder, 'signer.key.pem'), certificatePath: join(folder, 'signer.cert.pem') };
}

/** Makes a self-signed root, valid for 20 years, in a new folder. Throws Failure. */
export async function createRoot(folder: string, name: string): Promise<Pair> {
  const pair = rootPair(folder);
  await inNewFolder(folder, pair, `root "${name}"`, async () => {
    const config = scratchFile(
      folder,
      `[req]\ndistinguished_name = name\nx509_extensions = root\n[name]\n[root]${rootExtensions}`,
    );
    await createKey(pair.keyPath);
    await openssl(
      ...['req', '-x509', '-new', '-sha256', '-config', config, '-key', pair.keyPath, '-subj', `/CN=${name}`],
      ...['-set_serial', randomSerial(), '-days', String(rootDays), '-out', pair.certificatePath],
    );
  });
  return pair;
}

/** Makes a signer, valid for two years, in a new folder; the root's key is only needed here. Throws Failure. */
export async function createSigner(folder: string, name: string, root: Pair): Promise<Pair> {
  const pair = signerPair(folder);
  await inNewFolder(folder, pair, `signer "${name}"`, async () => {
    const extensions = scratchFile(folder, signerExtensions);
    const request = await createRequest(folder, name, pair.keyPath);
    await openssl(
      ...['x509', '-req', '-sha256', '-in', request, '-CA', root.certificatePath, '-CAkey', root.keyPath],
      ...['-extfile', extensions, '-set_serial', randomSerial(), '-days', String(signerDays)],
      ...['-out', pair.certificatePath],
    );
  });
  return pair;
}

/** Makes a key and a request for its certificate, both in the folder. Returns the request's path. */
export async function createRequest(folder: string, name: string, keyPath: string): Promise<string> {
  const config = join(folder, 'request.conf');
  const request = join(folder, 'request.csr');
  writeFileSync(config, '[req]\ndistinguished_name = name\n[name]\n');
  await createKey(keyPath);
  await openssl(
    'req',
    ...['-new', '-sha256', '-config', config, '-key', keyPath, '-subj', `/CN=${name}`, '-out', request],
  );
  return request;
}

/** Runs openssl without its own configuration file: a machine's defaults must not change what devices trust. */
export async function openssl(...words: string[]): Promise<void> {
  await command({ deadlineMs: opensslDeadlineMs, env: { OPENSSL_CONF: '/dev/null' } })`openssl ${words}`;
}

async function createKey(path: string): Promise<void> {
  await openssl('genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', path);
  chmodSync(path, 0o600);
}

/** Runs `work` in a new folder. Leaves only key and certificate there, on the disk, with modes that no umask has changed. */
async function inNewFolder(
  folder: string,
  pair: Pair,
  what: string,
  work: () => Promise<void>,
): Promise<void> {
  mkdirSync(folder, { mode: 0o700 });
  try {
    await work();
  } catch (error) {
    throw new Failure(`Cannot make the ${what}: openssl failed`, {
      advice: 'Nothing was kept; see the cause and try again',
      cause: error,
    });
  }
  for (const name of ['openssl.conf', 'request.conf', 'request.csr']) {
    rmSync(join(folder, name), { force: true });
  }
  chmodSync(pair.certificatePath, 0o644);
  for (const path of [pair.keyPath, pair.certificatePath]) syncFile(path);
  syncFolder(folder);
}

function scratchFile(folder: string, content: string): string {
  const path = join(folder, 'openssl.conf');
  writeFileSync(path, content);
  return path;
}

/** A random positive number of 159 bits, as RFC 5280 allows: no counter is needed. */
function randomSerial(): string {
  const bytes = randomBytes(20);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return `0x${bytes.toString('hex')}`;
}

function syncFile(path: string): void {
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
