import { isOlder } from '../format/dotted-version.ts';
import { kernelForCompressor } from '../format/squashfs.ts';
import { type Bundle, entryIn, formatOf } from './bundle.ts';
import { error, type LintFinding, warning } from './lint-finding.ts';
import type { LintTarget } from './lint-target.ts';

/** The largest payload that RAUC before 1.15.2 hands to OpenSSL with its true length (CVE-2026-34155). */
export const mostPlainBytes = 2 ** 31 - 1;
const blockBytes = 4096;
const usualSignatureBytes = 64 * 1024;
const signatureLimitSince = '1.14';

/** Judges size, compression and signature of the bundle as a whole. */
export function judgePayload(bundle: Bundle, target: LintTarget): LintFinding[] {
  return [
    ...judgePlainSize(bundle, target),
    ...judgeVeritySize(bundle, target),
    ...judgeCompressor(bundle, target),
    ...judgeSignatureSize(bundle, target),
  ];
}

function judgePlainSize(bundle: Bundle, target: LintTarget): LintFinding[] {
  if (formatOf(bundle, target.bundleFormat) !== 'plain') return [];
  const place = { file: bundle.name };
  const advice = 'Set format=verity in [bundle], or make the images smaller';
  const limit =
    'RAUC before 1.15.2 does not notice changes to a plain bundle above 2 GiB, and 1.15.2 refuses it';
  if (bundle.packing !== undefined) {
    const { payloadBytes } = bundle.packing;
    if (payloadBytes <= mostPlainBytes) return [];
    return [error('plain-too-large', place, `the payload has ${payloadBytes} bytes: ${limit}`, advice)];
  }
  const bytes = contentBytes(bundle);
  if (bytes <= mostPlainBytes) return [];
  const what = `the files have ${bytes} bytes, and may have more than 2 GiB once they are packed: ${limit}`;
  return [warning('plain-too-large', place, what, advice)];
}

function judgeVeritySize(bundle: Bundle, target: LintTarget): LintFinding[] {
  if (formatOf(bundle, target.bundleFormat) === 'plain') return [];
  const place = { file: bundle.name };
  const what = `RAUC makes no hash tree for a payload of ${blockBytes} bytes or less`;
  const advice = 'Add a file that cannot be compressed, or set format=plain in [bundle]';
  if (bundle.packing === undefined)
    return contentBytes(bundle) > blockBytes ? [] : [warning('verity-too-small', place, what, advice)];
  const tree = Number(entryIn(bundle.manifest, 'bundle', 'verity-size')?.value ?? 0);
  const squashfsBytes = bundle.packing.payloadBytes - (Number.isFinite(tree) ? tree : 0);
  return squashfsBytes > blockBytes ? [] : [error('verity-too-small', place, what, advice)];
}

function judgeCompressor(bundle: Bundle, { compression, kernelMin }: LintTarget): LintFinding[] {
  const compressor = bundle.packing?.compressor ?? compression;
  if (compressor === undefined) return [];
  const kernel = kernelForCompressor(compressor);
  if (kernel !== undefined && !isOlder(kernelMin, kernel)) return [];
  const what =
    kernel === undefined
      ? `no kernel mounts a squashfs of ${compressor}`
      : `Linux ${kernelMin} mounts no squashfs of ${compressor}, which came with ${kernel}`;
  return [error('compressor', { file: bundle.name }, what, 'Pack it with xz or gzip')];
}

function judgeSignatureSize({ name, packing }: Bundle, { raucMin }: LintTarget): LintFinding[] {
  if (packing === undefined || packing.signatureBytes <= usualSignatureBytes) return [];
  const what = `the signature has ${packing.signatureBytes} bytes`;
  const advice = 'Put fewer certificates into it';
  if (isOlder(raucMin, signatureLimitSince))
    return [error('signature-size', { file: name }, `${what}, and RAUC ${raucMin} reads 64 KiB`, advice)];
  const limit = "and RAUC reads 64 KiB unless the devices' max-bundle-signature-size says more";
  return [warning('signature-size', { file: name }, `${what}, ${limit}`, advice)];
}

/** Files with several names count once, as in a squashfs. */
function contentBytes({ entries }: Bundle): number {
  const counted = new Map<string, number>();
  for (const { kind, path, identity, bytes } of entries.values()) {
    if (kind === 'file') counted.set(identity ?? path, bytes);
  }
  return [...counted.values()].reduce((sum, bytes) => sum + bytes, 0);
}
