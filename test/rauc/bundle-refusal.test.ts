import { describe, expect, test } from 'bun:test';
import { BundleRefusal, kindOfRefusal, type RefusalKind } from '../../shared/rauc/bundle-refusal.ts';
import { inspectBundle } from '../../shared/rauc/info.ts';
import { installBundle } from '../../shared/rauc/install.ts';
import type { Outcome } from '../../shared/system/exit-code.ts';
import { failureOf } from '../support/failure-of.ts';
import { allOutputs } from '../support/rauc/outputs.ts';
import { Scene } from '../support/scene/scene.ts';

/** What each recorded bundle is refused for, and with which exit code; the others are taken. */
const refusals: Record<string, [kind: RefusalKind, outcome: Outcome, reason: RegExp]> = {
  'flipped-byte': ['untrusted', 'signature', /^signature verification failed: /],
  'odd-payload': ['untrusted', 'signature', /^signature verification failed: /],
  'foreign-signer': ['untrusted', 'signature', /unable to get local issuer certificate/],
  'self-signed': ['untrusted', 'signature', /self.signed certificate/],
  'expired-signer': ['untrusted', 'signature', /certificate has expired/],
  'future-signer': ['untrusted', 'signature', /certificate is not yet valid/],
  'wrong-purpose': ['untrusted', 'signature', /unsuitable certificate purpose/],
  empty: ['no-bundle', 'failed', /^it is empty, or shorter than the size of a signature$/],
  'random-bytes': ['no-bundle', 'failed', /^Invalid bundle format: /],
  'web-page': ['no-bundle', 'failed', /^Invalid bundle format: /],
  'zero-bytes': ['no-bundle', 'failed', /^Invalid bundle format: /],
  'cut-short': ['no-bundle', 'failed', /^Invalid bundle format: /],
  'not-signed': ['no-bundle', 'failed', /^Invalid bundle format: /],
  'bad-signature': ['no-bundle', 'failed', /^Invalid bundle format: /],
  'large-signature': ['unsupported', 'incompatible', /Signature size \(66000\) exceeds /],
  'unknown-key': ['unsupported', 'incompatible', /Invalid key 'colour' in group '\[image\.rootfs\]'$/],
  'unknown-key-verity': ['unsupported', 'incompatible', /Invalid key 'colour' in group '\[image\.rootfs\]'$/],
  'unknown-group': ['unsupported', 'incompatible', /Invalid group '\[custom\]'$/],
  // RAUC knows that key from 1.14 on.
  'for-newer-rauc': ['unsupported', 'incompatible', /Invalid key 'min-rauc-version'|Minimum RAUC version/],
  'unknown-hook': ['unsupported', 'incompatible', /slot hook type 'post-activate' not supported$/],
  'unknown-format': ['unsupported', 'incompatible', /Invalid format value 'zip' in group '\[bundle\]'$/],
  'unreadable-manifest': ['unsupported', 'incompatible', /^Failed to load manifest: Key file contains line /],
  'no-compatible': ['unsupported', 'incompatible', /^Failed to load manifest: /],
  'no-manifest': ['unsupported', 'incompatible', /^Failed to load manifest: /],
  encrypted: ['unsupported', 'incompatible', /^it is encrypted \(format=crypt\), and this device has no key/],
  'format-not-allowed': ['unsupported', 'incompatible', /^Bundle format 'verity' not allowed$/],
  folder: ['system', 'failed', /Is a directory$/],
  missing: ['system', 'failed', /^No such file: /],
  'no-keyring': ['system', 'failed', /^No keyring/],
  'keyring-missing': ['system', 'failed', /^failed to load CA file '\/nowhere\/signature\.pem'/],
  'config-wrong': ['system', 'failed', /Invalid key 'colour' in group '\[system\]'$/],
  'no-unsquashfs': ['system', 'failed', /^Failed to extract manifest from bundle: /],
};

describe('inspectBundle() of what real RAUCs printed', () => {
  test.each(allOutputs('info'))('$version, $name', async ({ name, output }) => {
    using scene = new Scene();
    scene.write('stdout', output.stdout);
    scene.write('stderr', output.stderr);
    scene.fake('rauc', `cat stdout; cat stderr >&2; exit ${output.exitCode}`);
    const expected = refusals[name];
    if (expected === undefined) {
      const info = await scene.withTools(() => inspectBundle('/x.raucb'));
      expect(info).toEqual({ compatible: 'jetson-nano-homie', version: '1.1.0' });
      return;
    }
    const [kind, outcome, reason] = expected;
    const failure = await scene.withTools(() => failureOf(() => inspectBundle('/x.raucb')));
    expect(failure).toBeInstanceOf(BundleRefusal);
    expect(failure).toMatchObject({ kind, outcome });
    expect(failure.message.replace(/^Cannot verify "\/x\.raucb": /, '')).toMatch(reason);
  });
});

describe('kindOfRefusal()', () => {
  test.each<[reason: string, kind: RefusalKind]>([
    // RAUC 1.10 and later.
    [
      'Encrypted bundle detected, but no decryption key given. Use --key=<PEMFILE|PKCS11-URL> to provide one.',
      'unsupported',
    ],
    [
      'Invalid bundle format: Signature size (70000) exceeds max-bundle-signature-size (65536)',
      'unsupported',
    ],
    // RAUC 1.14 and later.
    [
      'Failed to load manifest: Minimum RAUC version in manifest (1.20) is newer than current version (1.16)',
      'unsupported',
    ],
    // RAUC 1.15.2.
    ['Bundle payload size 2200000000 exceeds maximum for bundles using plain format (2 GiB)', 'unsupported'],
    // Of rauc install.
    ['Refusing to install unencrypted crypt bundles', 'unsupported'],
    ["Installation error: Compatible mismatch: Expected 'a' but bundle manifest has 'b'", 'unsupported'],
    ['Failed mounting bundle: failed to run mount: no loop device', 'unknown'],
    ['Bundle rejected: Hook returned: updates are inhibited', 'unknown'],
    ['No signature CN matching allowed-signer-cns found', 'untrusted'],
    // Words that no RAUC has said yet.
    ["the bundle's certificate was revoked", 'untrusted'],
    ["cannot read '/data/certificate/x.raucb'", 'unknown'],
  ])('%j is %p', (reason, kind) => {
    expect(kindOfRefusal(reason)).toBe(kind);
  });
});

describe('installBundle() of what real RAUCs printed', () => {
  const ends: Record<string, [outcome: Outcome, reason: RegExp]> = {
    'environment-unreadable': ['failed', /Failed marking slot rootfs\.1 non-bootable/],
    'handler-refuses': ['incompatible', /system-check refused it: incompatible or older version/],
    missing: ['failed', /No such file/],
    'web-page': ['failed', /Invalid bundle format/],
    'flipped-byte': ['signature', /signature verification failed/],
    busy: ['busy', /RAUC is busy with another one/],
  };

  test.each(allOutputs('install'))('$version, $name', async ({ name, output }) => {
    using scene = new Scene();
    scene.write('stdout', output.stdout);
    scene.write('stderr', output.stderr);
    scene.write('rauc-install.sh', `cat stdout; cat stderr >&2; exit ${output.exitCode}`);
    const percents: number[] = [];
    const work = () => installBundle('/x.raucb', { onProgress: (percent: number) => percents.push(percent) });
    const expected = ends[name];
    if (expected === undefined) {
      await scene.withTools(work);
      expect(percents).toEqual(percents.toSorted((one, other) => one - other));
      expect(percents.at(-1)).toBe(100);
      return;
    }
    const failure = await scene.withTools(() => failureOf(work));
    expect(failure.outcome).toBe(expected[0]);
    expect(failure.message).toMatch(expected[1]);
  });
});
