import { join } from 'node:path';
import { command } from '../../../shared/system/process/command.ts';

export interface Signer {
  certificate: string;
  key: string;
}

export interface SignerOptions {
  days?: number;
  extendedKeyUsage?: string;
  isAuthority?: boolean;
}

/** A throw-away certificate that signs itself, made by the real OpenSSL. */
export async function issueCertificate(
  folder: string,
  name: string,
  options: SignerOptions = {},
): Promise<Signer> {
  const signer = { certificate: join(folder, `${name}.pem`), key: join(folder, `${name}.key`) };
  const usage = options.extendedKeyUsage;
  const extensions = [
    `basicConstraints=critical,CA:${options.isAuthority === true ? 'TRUE' : 'FALSE'}`,
    'keyUsage=critical,digitalSignature',
    ...(usage === undefined ? [] : [`extendedKeyUsage=${usage}`]),
  ].flatMap((extension) => ['-addext', extension]);
  await command({
    deadlineMs: 60_000,
  })`openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj ${`/CN=${name}`} -days ${options.days ?? 3650} -keyout ${signer.key} -out ${signer.certificate} ${extensions}`;
  return signer;
}
