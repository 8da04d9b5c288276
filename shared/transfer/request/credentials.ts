import { createPrivateKey, X509Certificate } from 'node:crypto';
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { Failure, reasonOf } from '../../system/failure.ts';
import type { TlsFiles } from './http.ts';

/** Our credentials for the server, and the certificates by which we verify it. Never printed; sent to one origin only. */
export interface Credentials {
  /** `Authorization`, where there is a token or a password. */
  headers: Record<string, string>;
  tls: TlsFiles | undefined;
}

/** Files that the config names. */
export interface CredentialFiles {
  caFile: string | undefined;
  clientCertificateFile: string | undefined;
  clientKeyFile: string | undefined;
  tokenFile: string | undefined;
  basicAuthFile: string | undefined;
  /** Tokens of hawkBit: one for this device, or one for all devices behind a gateway. */
  fleetTargetTokenFile?: string | undefined;
  fleetGatewayTokenFile?: string | undefined;
}

/**
 * Reads and checks all of them: a secret that other users may read, or a trust anchor that other users may write, is
 * rejected. Throws a Failure that names file and config key, never the file's content.
 */
export function readCredentials(files: CredentialFiles): Credentials {
  const { tokenFile, basicAuthFile, fleetTargetTokenFile, fleetGatewayTokenFile } = files;
  refuseBoth(['token_file', tokenFile], ['basic_auth_file', basicAuthFile]);
  refuseBoth(
    ['fleet_target_token_file', fleetTargetTokenFile],
    ['fleet_gateway_token_file', fleetGatewayTokenFile],
  );
  const headers: Record<string, string> = {};
  if (tokenFile !== undefined) headers['Authorization'] = `Bearer ${readToken('token_file', tokenFile)}`;
  if (basicAuthFile !== undefined) headers['Authorization'] = `Basic ${readBasicAuth(basicAuthFile)}`;
  if (fleetTargetTokenFile !== undefined)
    headers['Authorization'] = `TargetToken ${readToken('fleet_target_token_file', fleetTargetTokenFile)}`;
  if (fleetGatewayTokenFile !== undefined)
    headers['Authorization'] = `GatewayToken ${readToken('fleet_gateway_token_file', fleetGatewayTokenFile)}`;
  const tls = { ...readCa(files.caFile), ...readClientPair(files) };
  return { headers, tls: Object.keys(tls).length === 0 ? undefined : tls };
}

type Named = readonly [key: string, file: string | undefined];

function refuseBoth([one, oneFile]: Named, [other, otherFile]: Named): void {
  if (oneFile === undefined || otherFile === undefined) return;
  throw new Failure(`Cannot use ${one} and ${other} together: a server takes one of them`, {
    outcome: 'usage',
  });
}

function readToken(name: string, path: string): string {
  const token = readSecret(name, path).trim();
  if (!/^[\x21-\x7e]+$/.test(token)) throw refused(name, path, 'one token on one line is expected');
  return token;
}

/** User and password in the form of the header. `name` is a key of the config, or an option of a command line. */
export function readBasicAuth(path: string, name = 'basic_auth_file'): string {
  const line = readSecret(name, path).replace(/\r?\n$/, '');
  if (!/^[^:\n]+:[^\n]*$/.test(line))
    throw refused(name, path, 'one line of the form user:password is expected');
  return Buffer.from(line).toString('base64');
}

function readCa(path: string | undefined): TlsFiles {
  if (path === undefined) return {};
  const ca = readTrusted('ca_file', path);
  if (!/-----BEGIN CERTIFICATE-----/.test(ca)) throw refused('ca_file', path, 'no certificate is in it');
  checkCertificate('ca_file', path, ca);
  return { ca };
}

/** Checks that the key belongs to its certificate, because bun's own message for that is useless. */
function readClientPair({ clientCertificateFile, clientKeyFile }: CredentialFiles): TlsFiles {
  if (clientCertificateFile === undefined && clientKeyFile === undefined) return {};
  if (clientCertificateFile === undefined || clientKeyFile === undefined) {
    throw new Failure(
      'Cannot use client_certificate_file and client_key_file one without the other: both are needed',
      { outcome: 'usage' },
    );
  }
  const cert = readTrusted('client_certificate_file', clientCertificateFile);
  const key = readSecret('client_key_file', clientKeyFile);
  const certificate = checkCertificate('client_certificate_file', clientCertificateFile, cert);
  if (!certificate.checkPrivateKey(readKey(clientKeyFile, key)))
    throw refused('client_key_file', clientKeyFile, `it is not the key of "${clientCertificateFile}"`);
  return { cert, key };
}

function checkCertificate(name: string, path: string, pem: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch {
    throw refused(name, path, 'it is not a certificate in PEM');
  }
}

function readKey(path: string, pem: string): ReturnType<typeof createPrivateKey> {
  try {
    return createPrivateKey(pem);
  } catch {
    throw refused('client_key_file', path, 'it is not a private key in PEM without a passphrase');
  }
}

const readableByOthers = 0o077;
const writableByOthers = 0o022;

function readSecret(name: string, path: string): string {
  return readChecked(name, path, readableByOthers, `others may read it; chmod 600 "${path}"`);
}

function readTrusted(name: string, path: string): string {
  return readChecked(name, path, writableByOthers, `others may write it; chmod 644 "${path}"`);
}

/** Checks the mode of the open file, so that the checked file is the one that is read. */
function readChecked(name: string, path: string, forbidden: number, reason: string): string {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(path, 'r');
    const { mode, uid } = fstatSync(descriptor);
    if ((mode & forbidden) !== 0) throw refused(name, path, reason);
    if (uid !== 0 && uid !== process.getuid?.())
      throw refused(name, path, 'its owner is neither root nor the user of this program');
    return readFileSync(descriptor, 'utf8');
  } catch (error) {
    throw error instanceof Failure ? error : refused(name, path, reasonOf(error));
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

function refused(name: string, path: string, reason: string): Failure {
  const what = name.startsWith('--') ? name : `update.${name}`;
  return new Failure(`Cannot use ${what} "${path}": ${reason}`, { outcome: 'usage' });
}
