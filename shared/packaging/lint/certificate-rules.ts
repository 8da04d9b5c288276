import type { Certificate } from '../format/certificate-file.ts';
import { error, type LintFinding, warning } from './lint-finding.ts';

const dayMs = 24 * 60 * 60 * 1000;
const soonMs = 30 * dayMs;

/** Judges whether the devices' RAUC will accept the signer's certificate, now and for the next 30 days. */
export function judgeCertificate(certificate: Certificate, file: string, now: Date): LintFinding[] {
  return [
    ...judgeTime(certificate, file, now),
    ...judgePurpose(certificate, file),
    ...(certificate.isAuthority
      ? [
          warning(
            'certificate-is-ca',
            { file },
            `"${certificate.subject}" is an authority: its key cannot be revoked or replaced without a new keyring`,
            'Sign with a certificate that the authority has issued, and keep its own key offline',
          ),
        ]
      : []),
  ];
}

function judgeTime({ subject, notBefore, notAfter }: Certificate, file: string, now: Date): LintFinding[] {
  const place = { file };
  if (now < notBefore) {
    const what = `"${subject}" is valid from ${notBefore.toISOString()} on only`;
    return [
      error('certificate-not-yet-valid', place, what, 'Check the clock of this machine, or issue it again'),
    ];
  }
  if (now > notAfter) {
    const what = `"${subject}" has expired at ${notAfter.toISOString()}`;
    return [error('certificate-expired', place, what, 'Issue a new one and sign with that')];
  }
  const leftMs = notAfter.getTime() - now.getTime();
  if (leftMs > soonMs) return [];
  const what = `"${subject}" expires in ${Math.floor(leftMs / dayMs)} days, and devices refuse the bundle then`;
  return [warning('certificate-ends-soon', place, what, 'Issue a new one and sign with that')];
}

function judgePurpose({ subject, maySign, usages }: Certificate, file: string): LintFinding[] {
  if (maySign) return [];
  const what = `"${subject}" is for ${usages.join(', ')}, and RAUC asks for S/MIME signing unless told otherwise`;
  const advice = 'Issue it with extendedKeyUsage=codeSigning,emailProtection and keyUsage=digitalSignature';
  return [error('certificate-purpose', { file }, what, advice)];
}
