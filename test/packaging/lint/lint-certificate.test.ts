import { afterAll, describe, expect, test } from 'bun:test';
import { readCertificate } from '../../../shared/packaging/format/certificate-file.ts';
import { judgeCertificate } from '../../../shared/packaging/lint/certificate-rules.ts';
import { TestFolder } from './bundle-folder.ts';
import { issueCertificate, type SignerOptions } from './signer.ts';

const folder = new TestFolder();
afterAll(() => folder[Symbol.dispose]());

const dayMs = 24 * 3600_000;
const cases: { what: string; options: SignerOptions; inDays: number; findings: string[] }[] = [
  { what: 'has no extended usage', options: {}, inDays: 0, findings: [] },
  {
    what: 'is for both purposes',
    options: { extendedKeyUsage: 'codeSigning,emailProtection' },
    inDays: 0,
    findings: [],
  },
  {
    what: 'is for code only',
    options: { extendedKeyUsage: 'codeSigning' },
    inDays: 0,
    findings: ['error certificate-purpose'],
  },
  {
    what: 'is for servers',
    options: { extendedKeyUsage: 'serverAuth' },
    inDays: 0,
    findings: ['error certificate-purpose'],
  },
  {
    what: 'is an authority',
    options: { isAuthority: true },
    inDays: 0,
    findings: ['warning certificate-is-ca'],
  },
  { what: 'ends in 31 days', options: { days: 32 }, inDays: 0.5, findings: [] },
  {
    what: 'ends in 29 days',
    options: { days: 30 },
    inDays: 0.5,
    findings: ['warning certificate-ends-soon'],
  },
  { what: 'has expired', options: { days: 1 }, inDays: 2, findings: ['error certificate-expired'] },
  { what: 'is not valid yet', options: {}, inDays: -1, findings: ['error certificate-not-yet-valid'] },
];

describe('judgeCertificate()', () => {
  test.each(cases)(
    'answers by purpose and time when a certificate $what',
    async ({ options, inDays, findings }) => {
      const { certificate } = await issueCertificate(folder.path, 'signer', options);
      const now = new Date(Date.now() + inDays * dayMs);
      const found = judgeCertificate(await readCertificate(certificate), 'signer.pem', now);
      expect(found.map(({ level, rule }) => `${level} ${rule}`)).toEqual(findings);
      for (const { message } of found) expect(message).toContain('CN=signer');
    },
  );
});

describe('readCertificate()', () => {
  test('refuses when the file is missing or holds no certificate', async () => {
    const { key } = await issueCertificate(folder.path, 'signer');
    for (const path of [key, `${folder.path}/none.pem`])
      await expect(readCertificate(path)).rejects.toMatchObject({
        outcome: 'usage',
        message: expect.stringContaining(path),
      });
  });

  test('names the usages when the purpose is wrong', async () => {
    const { certificate } = await issueCertificate(folder.path, 'signer', {
      extendedKeyUsage: 'codeSigning',
    });
    expect((await readCertificate(certificate)).usages).toEqual(['Digital Signature', 'Code Signing']);
  });
});
