import { mkdirSync, readFileSync } from 'node:fs';
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

/** `openssl x509 -req` takes no past days, of 3.5 not even as a negative number; `openssl ca` takes any. */
const expiredDays = ['20200101000000Z', '20200201000000Z'] as const;
const currentDays = ['20200101000000Z', '20991231235959Z'] as const;

function caConfig(desk: string): string {
  return `[ca]
default_ca = this
[this]
database = ${desk}/index.txt
new_certs_dir = ${desk}
rand_serial = yes
default_md = sha256
policy = names
[names]
commonName = supplied
`;
}

async function makeSigned(
  folder: TempFolder,
  name: string,
  extension: string,
  [from, until]: readonly [string, string] = currentDays,
): Promise<{ certificate: string; key: string }> {
  const [key, request, certificate] = ['key', 'csr', 'pem'].map((end) => folder.at(`${name}.${end}`));
  if (key === undefined || request === undefined || certificate === undefined) throw new Error('no names');
  const extensions = folder.write(`${name}.ext`, `${extension}\n`);
  await openssl('req', ...newKey, '-keyout', key, '-out', request, '-subj', `/CN=${name}`);
  const desk = folder.at(`${name}-ca`);
  mkdirSync(desk, { recursive: true });
  folder.write(`${name}-ca/index.txt`, '');
  const config = folder.write(`${name}-ca/ca.conf`, caConfig(desk));
  await openssl(
    ...['ca', '-batch', '-notext', '-config', config, '-extfile', extensions],
    ...['-cert', folder.at('ca.pem'), '-keyfile', folder.at('ca.key')],
    ...['-startdate', from, '-enddate', until, '-in', request, '-out', certificate],
  );
  return { certificate, key };
}
