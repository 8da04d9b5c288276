import { readFileSync } from 'node:fs';
import type { TlsOptions } from 'node:tls';
import { openssl } from '../../../shared/packaging/pki/certificate.ts';
import type { TempFolder } from '../temp-folder.ts';
import { signDated } from './dated-certificate.ts';

/** What a server and its clients know each other by, made by openssl itself; paths of PEM files. */
export interface TlsFiles {
  ca: string;
  /** Of a foreign authority. */
  otherCa: string;
  client: { certificate: string; key: string };
  /** The key and certificate of a server on 127.0.0.1, which may want to know its clients. */
  server(options?: { knowsClients?: boolean; isForOtherName?: boolean; hasExpired?: boolean }): TlsOptions;
}

export async function makeTlsFiles(folder: TempFolder): Promise<TlsFiles> {
  const ca = await makeCa(folder, 'ca');
  const otherCa = await makeCa(folder, 'other-ca');
  const address = 'subjectAltName=IP:127.0.0.1,DNS:updates.invalid';
  const server = await makeSigned(folder, 'server', address);
  const misnamed = await makeSigned(folder, 'misnamed', 'subjectAltName=DNS:elsewhere.example');
  const expired = await makeSigned(folder, 'expired', address, expiredDays);
  const client = await makeSigned(folder, 'client', 'extendedKeyUsage=clientAuth');
  return {
    ca,
    otherCa,
    client,
    server: ({ knowsClients = false, isForOtherName = false, hasExpired = false } = {}) => {
      const pair = isForOtherName ? misnamed : hasExpired ? expired : server;
      return {
        key: readFileSync(pair.key),
        cert: readFileSync(pair.certificate),
        ...(knowsClients ? { ca: readFileSync(ca), requestCert: true, rejectUnauthorized: true } : {}),
      };
    },
  };
}

const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

async function makeCa(folder: TempFolder, name: string): Promise<string> {
  const [key, certificate] = [folder.at(`${name}.key`), folder.at(`${name}.pem`)];
  await openssl(
    'req',
    '-x509',
    ...newKey,
    '-keyout',
    key,
    '-out',
    certificate,
    '-days',
    '2',
    '-subj',
    `/CN=${name}`,
    // What a newer OpenSSL expects of who signs others.
    ...['-addext', 'basicConstraints=critical,CA:TRUE'],
    ...['-addext', 'keyUsage=critical,keyCertSign,cRLSign'],
  );
  return certificate;
}

const expiredDays = ['20200101000000Z', '20200201000000Z'] as const;
const currentDays = ['20200101000000Z', '20991231235959Z'] as const;

async function makeSigned(
  folder: TempFolder,
  name: string,
  extension: string,
  [from, until]: readonly [string, string] = currentDays,
): Promise<{ certificate: string; key: string }> {
  const [key, request, certificate] = ['key', 'csr', 'pem'].map((end) => folder.at(`${name}.${end}`));
  if (key === undefined || request === undefined || certificate === undefined) throw new Error('no names');
  await openssl('req', ...newKey, '-keyout', key, '-out', request, '-subj', `/CN=${name}`);
  const ca = { certificatePath: folder.at('ca.pem'), keyPath: folder.at('ca.key') };
  const [desk, output] = [folder.at(`${name}-ca`), certificate];
  await signDated(desk, { request, ca, extensions: extension, from, until, output });
  return { certificate, key };
}
