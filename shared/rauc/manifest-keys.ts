/**
 * The groups and keys that a manifest may hold, and the RAUC version that introduced each (RAUC manual, "Manifest",
 * and the parser of each release). Parsing is strict: RAUC rejects the whole bundle for one key that it does not
 * know.
 */
interface ManifestKey {
  since: string;
  /** Written by `rauc bundle`; newer versions reject it in their input. */
  isGenerated?: boolean;
  /** Accepted and without any effect, on every version that accepts it. */
  isIgnored?: boolean;
}

export interface ManifestGroup {
  /** As people write it: `[image.CLASS]`. */
  title: string;
  pattern: RegExp;
  since: string;
  /** `any` where the author chooses the names. */
  keys: Readonly<Record<string, ManifestKey>> | 'any';
}

const always: ManifestKey = { since: '1.0' };
const generated: ManifestKey = { since: '1.0', isGenerated: true };
const withoutEffect: ManifestKey = { since: '1.11', isIgnored: true };

const imageKeys: Readonly<Record<string, ManifestKey>> = {
  filename: always,
  hooks: always,
  sha256: generated,
  size: generated,
  adaptive: { since: '1.8' },
  type: { since: '1.15' },
  version: withoutEffect,
  description: withoutEffect,
  build: withoutEffect,
};

const artifactKeys: Readonly<Record<string, ManifestKey>> = {
  ...imageKeys,
  convert: { since: '1.13' },
  converted: { since: '1.13', isGenerated: true },
};

export const manifestGroups: readonly ManifestGroup[] = [
  {
    title: '[update]',
    pattern: /^update$/,
    since: '1.0',
    keys: {
      compatible: always,
      version: always,
      description: always,
      build: always,
      'min-rauc-version': { since: '1.14' },
    },
  },
  {
    title: '[bundle]',
    pattern: /^bundle$/,
    since: '1.5',
    keys: {
      format: { since: '1.5' },
      'verity-hash': { since: '1.5', isGenerated: true },
      'verity-salt': { since: '1.5', isGenerated: true },
      'verity-size': { since: '1.5', isGenerated: true },
      'crypt-key': { since: '1.7', isGenerated: true },
    },
  },
  { title: '[handler]', pattern: /^handler$/, since: '1.0', keys: { filename: always, args: always } },
  { title: '[hooks]', pattern: /^hooks$/, since: '1.0', keys: { filename: always, hooks: always } },
  { title: '[image.CLASS]', pattern: /^image\.[^./]+(\..+)?$/, since: '1.0', keys: imageKeys },
  {
    title: '[image.REPO/ARTIFACT]',
    pattern: /^image\.[^./]+\/[^./]+(\..+)?$/,
    since: '1.13',
    keys: artifactKeys,
  },
  { title: '[meta.LABEL]', pattern: /^meta\.[^.]+$/, since: '1.8', keys: 'any' },
  { title: '[rollout]', pattern: /^rollout$/, since: '1.14', keys: 'any' },
];

export function manifestGroupOf(name: string): ManifestGroup | undefined {
  return manifestGroups.find((group) => group.pattern.test(name));
}

/** The first RAUC version that reads the format. */
export const bundleFormats = { plain: '1.0', verity: '1.5', crypt: '1.7' } as const;
export type BundleFormat = keyof typeof bundleFormats;

export function isBundleFormat(text: string): text is BundleFormat {
  return Object.hasOwn(bundleFormats, text);
}

export const adaptiveMethods = ['block-hash-index'] as const;

/** The only name that `[hooks] hooks=` may hold. */
export const bundleHooks = ['install-check'] as const;
/** The names that `[image.CLASS] hooks=` may hold; the program is called with `slot-` before them. */
export const imageHooks = ['pre-install', 'install', 'post-install'] as const;
/** All that RAUC ever gives a hook program as its first argument. */
export const hookArguments = [
  'install-check',
  'slot-pre-install',
  'slot-install',
  'slot-post-install',
] as const;
