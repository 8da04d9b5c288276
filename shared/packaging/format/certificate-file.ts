import { Failure } from '../../system/failure.ts';
import { command } from '../../system/process/command.ts';

/** What OpenSSL says about a signer's certificate. */
export interface Certificate {
  subject: string;
  notBefore: Date;
  notAfter: Date;
  /** Fit for S/MIME signing: RAUC's default purpose. */
  maySign: boolean;
  /** Its key and extended key usage, for messages. */
  usages: string[];
  isAuthority: boolean;
}

const deadlineMs = 30_000;

/** Reads the first certificate of a PEM file, as `rauc bundle --cert` does. Throws a usage Failure. */
export async function readCertificate(path: string): Promise<Certificate> {
  const show = ['-noout', '-subject', '-nameopt', 'RFC2253', '-dates', '-dateopt', 'iso_8601', '-purpose'];
  const extensions = ['-ext', 'keyUsage,extendedKeyUsage,basicConstraints'];
  const { exitCode, stdout, stderr } = await command({
    deadlineMs,
    accept: 'any',
  })`openssl x509 -in ${path} ${show} ${extensions}`;
  const notBefore = dateIn(stdout, 'notBefore');
  const notAfter = dateIn(stdout, 'notAfter');
  if (exitCode !== 0 || notBefore === undefined || notAfter === undefined)
    throw new Failure(`Cannot read the certificate "${path}": OpenSSL finds none in it`, {
      outcome: 'usage',
      advice: "Give the signer's certificate as a PEM file",
      cause: new Error(stderr.trim()),
    });
  return {
    subject: /^subject=(.*)$/m.exec(stdout)?.[1]?.trim() ?? '',
    notBefore,
    notAfter,
    maySign: /^S\/MIME signing : Yes/m.test(stdout),
    usages: [...stdout.matchAll(/^X509v3 (?:Extended )?Key Usage:.*\n\s+(.*)$/gm)].flatMap(([, names = '']) =>
      names.split(',').map((name) => name.trim()),
    ),
    isAuthority: /^\s+CA:TRUE/m.test(stdout),
  };
}

function dateIn(text: string, name: string): Date | undefined {
  const written = new RegExp(`^${name}=(\\S+) (\\S+)$`, 'm').exec(text);
  const date = new Date(`${written?.[1]}T${written?.[2]}`);
  return Number.isNaN(date.getTime()) ? undefined : date;
}
