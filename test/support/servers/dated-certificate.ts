import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openssl } from '../../../shared/packaging/pki/certificate.ts';

/** What is signed, by whom, and the days that it is good for, in the form of openssl: YYYYMMDDHHMMSSZ. */
export interface Dated {
  request: string;
  ca: { certificatePath: string; keyPath: string };
  extensions: string;
  from: string;
  until: string;
  /** Where the certificate goes. */
  output: string;
}

/**
 * Signs a request for any days, past ones too, which `openssl x509 -req` does not take from every version. The folder is made
 * for it, and removed.
 */
export async function signDated(
  desk: string,
  { request, ca, extensions, from, until, output }: Dated,
): Promise<void> {
  mkdirSync(desk);
  try {
    writeFileSync(join(desk, 'index.txt'), '');
    writeFileSync(join(desk, 'ca.conf'), caConfig(desk, extensions));
    await openssl(
      ...['ca', '-batch', '-notext', '-config', join(desk, 'ca.conf'), '-extensions', 'these'],
      ...['-cert', ca.certificatePath, '-keyfile', ca.keyPath],
      ...['-startdate', from, '-enddate', until, '-in', request, '-out', output],
    );
  } finally {
    rmSync(desk, { recursive: true, force: true });
  }
}

function caConfig(desk: string, extensions: string): string {
  return `[ca]
default_ca = here
[here]
database = ${desk}/index.txt
new_certs_dir = ${desk}
rand_serial = yes
default_md = sha256
policy = name_only
[name_only]
commonName = supplied
[these]
${extensions}
`;
}
