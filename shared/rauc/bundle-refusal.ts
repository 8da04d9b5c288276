import type { Outcome } from '../system/exit-code.ts';
import { Failure } from '../system/failure.ts';

/**
 * - `untrusted`: the signature, or the content that it covers.
 * - `no-bundle`: another kind of file, or a part of a bundle.
 * - `unsupported`: a bundle that this RAUC, or its system.conf, does not take.
 * - `system`: the fault is of this system; the bundle was not judged.
 * - `unknown`: words that are not in the table.
 */
export type RefusalKind = 'untrusted' | 'no-bundle' | 'unsupported' | 'system' | 'unknown';

/** The first match decides. RAUC has no codes for its reasons; these are the words of its bundle.c, manifest.c and signature.c. */
const words: readonly (readonly [RegExp, RefusalKind])[] = [
  [/^signature verification failed/i, 'untrusted'],
  [/^bundle payload is corrupted/i, 'untrusted'],
  [/^Invalid bundle format: Signature size \(\d+\) exceeds (64KiB|max-bundle-signature-size)/, 'unsupported'],
  [/^(Invalid bundle format: )?Failed to open bundle/, 'system'],
  [/^(No such file|Failed to extract manifest from bundle): /, 'system'],
  [/^(Invalid bundle format: |Bundle is not a regular file)/, 'no-bundle'],
  [/^Bundle format '\w+' not (allowed|supported)/, 'unsupported'],
  [/^(Encrypted bundle detected|Failed to decrypt|Refus(ed|ing) to install)/, 'unsupported'],
  [
    /^(Failed to load manifest|Failed to check manifest|failed to load manifest from bundle): /,
    'unsupported',
  ],
  [/^(Invalid (key|group) |Minimum RAUC version |plain bundles can only )/, 'unsupported'],
  [/^(Compatible|Version) mismatch: /, 'unsupported'],
  [/exceeds maximum for bundles using plain format/, 'unsupported'],
  [
    /^(No keyring|failed to load CA file|failed to configure|failed to allocate|failed to initialize)/i,
    'system',
  ],
  [
    /^(could not ensure exclusive|cannot check bundle payload without|unsafe bundle|bundle is stored on)/,
    'system',
  ],
];

/** Words of a later RAUC: a signature that is refused must never pass for another fault. Quoted names do not count. */
const soundsUntrusted = /signature|signer|certificate|\bCMS\b/i;

/** Sorts RAUC's last line of `rauc info`, or its LastError. */
export function kindOfRefusal(reason: string): RefusalKind {
  const own = reason.replace(/^(Installation error|Failed mounting bundle): /, '');
  const known = words.find(([pattern]) => pattern.test(own))?.[1];
  if (known !== undefined) return known;
  return soundsUntrusted.test(own.replace(/'[^']*'|"[^"]*"/g, '')) ? 'untrusted' : 'unknown';
}

const outcomes: Record<RefusalKind, Outcome> = {
  untrusted: 'signature',
  'no-bundle': 'failed',
  unsupported: 'incompatible',
  system: 'failed',
  unknown: 'failed',
};

const advices: Record<RefusalKind, string> = {
  untrusted: 'It is damaged, or not signed by a key that this device trusts',
  'no-bundle': 'It is no bundle, or only a part of one: fetch or copy it again',
  unsupported: 'This is no matter of its signature: pack it for the RAUC and the system.conf of this device',
  system: 'The bundle was not judged: see "update.sh doctor"',
  unknown: 'See what "rauc info" says about it',
};

/** RAUC refuses the bundle; the outcome says whether the signature is the reason. */
export class BundleRefusal extends Failure {
  readonly kind: RefusalKind;

  constructor(path: string, raucReason: string, cause: unknown) {
    const kind = kindOfRefusal(raucReason);
    super(`Cannot verify "${path}": ${plainReason(raucReason)}`, {
      outcome: outcomes[kind],
      advice: advices[kind],
      cause,
    });
    this.kind = kind;
  }

  /** Whether to get the file again is the cure. */
  get isOfFile(): boolean {
    return this.kind === 'untrusted' || this.kind === 'no-bundle' || this.kind === 'unknown';
  }
}

/** The outcome of an install that RAUC refused for a reason of the bundle; undefined where the reason is another. */
export function outcomeOfRefusal(lastError: string): Outcome | undefined {
  const kind = kindOfRefusal(lastError);
  return kind === 'untrusted' || kind === 'unsupported' ? outcomes[kind] : undefined;
}

/** RAUC's words, where they say what they mean. */
export function plainReason(raucReason: string): string {
  if (raucReason.includes('Failed to seek to end of bundle'))
    return 'it is empty, or shorter than the size of a signature';
  if (raucReason.startsWith('Encrypted bundle detected'))
    return 'it is encrypted (format=crypt), and this device has no key for it';
  return raucReason;
}
