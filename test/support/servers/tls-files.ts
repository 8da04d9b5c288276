import { readFileSync } from 'node:fs';
import type { TlsOptions } from 'node:tls';
import { openssl } from '../../../shared/packaging/pki/certificate.ts';
import type { TempFolder } from '../temp-folder.ts';

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
  const address = 'subjectAltName=IP:127.0.0.1';
  const server = await makeSigned(folder, 'server', address);
  const misnamed = await makeSigned(folder, 'misnamed', 'subjectAltName=DNS:elsewhere.example');
  const expired = await makeSigned(folder, 'expired', address, '-1');
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
  );
  return certificate;
}

async function makeSigned(
  folder: TempFolder,
  name: string,
  extension: string,
  days = '2',
): Promise<{ certificate: string; key: string }> {
  const [key, request, certificate] = ['key', 'csr', 'pem'].map((end) => folder.at(`${name}.${end}`));
  if (key === undefined || request === undefined || certificate === undefined) throw new Error('no names');
  const extensions = folder.write(`${name}.ext`, `${extension}\n`);
  await openssl('req', ...newKey, '-keyout', key, '-out', request, '-subj', `/CN=${name}`);
  await openssl(
    ...['x509', '-req', '-in', request, '-CA', folder.at('ca.pem'), '-CAkey', folder.at('ca.key')],
    ...['-CAcreateserial', '-out', certificate, '-extfile', extensions, '-days', days],
  );
  return { certificate, key };
}
