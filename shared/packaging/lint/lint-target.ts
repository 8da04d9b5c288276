import type { BundleFormat } from '../../rauc/manifest-keys.ts';
import { Failure } from '../../system/failure.ts';
import { isDottedVersion } from '../format/dotted-version.ts';

/** The devices that a bundle is for, and how it will be packed. All are optional. */
export interface LintOptions {
  /** The oldest RAUC among the devices. */
  raucMin?: string;
  /** The oldest kernel among them. */
  kernelMin?: string;
  /** The glibc that all of them have. */
  glibcMax?: string;
  architecture?: 'arm64' | 'x64';
  /** `type=` of the slots in their system.conf. */
  slotType?: string;
  /** The signer's certificate (PEM); without it a packed bundle's own is judged. */
  certificatePath?: string;
  /** The squashfs compressor about to be used, for a folder. */
  compression?: 'xz' | 'gzip' | 'lz4' | 'zstd';
  /** The format about to be packed, where the manifest does not say. */
  bundleFormat?: BundleFormat;
  now?: Date;
}

export interface LintTarget {
  raucMin: string;
  kernelMin: string;
  glibcMax: string;
  architecture: 'arm64' | 'x64';
  slotType: string;
  compression: string | undefined;
  bundleFormat: BundleFormat | undefined;
  now: Date;
}

/** Fills in the defaults: a Jetson Nano with L4T 32 and Debian's RAUC. Throws a usage Failure. */
export function lintTargetOf(options: LintOptions): LintTarget {
  const target: LintTarget = {
    raucMin: options.raucMin ?? '1.8',
    kernelMin: options.kernelMin ?? '4.9',
    glibcMax: options.glibcMax ?? '2.27',
    architecture: options.architecture ?? 'arm64',
    slotType: options.slotType ?? 'ext4',
    compression: options.compression,
    bundleFormat: options.bundleFormat,
    now: options.now ?? new Date(),
  };
  for (const what of ['raucMin', 'kernelMin', 'glibcMax'] as const) {
    if (isDottedVersion(target[what])) continue;
    throw new Failure(`Cannot lint for ${what} "${target[what]}": it is not a version`, {
      outcome: 'usage',
      advice: 'Give numbers with dots between, as in 1.8',
    });
  }
  return target;
}
