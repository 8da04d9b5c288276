import { randomUUID } from 'node:crypto';
import { renameSync, rmSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import semver from 'semver';
import { Failure } from '../../system/failure.ts';
import { formatBytes } from '../../system/files/disk.ts';
import { makeFolder } from '../../system/files/durable-file.ts';
import { command } from '../../system/process/command.ts';
import type { Log } from '../../system/terminal/log.ts';
import { lintBundle } from '../lint/lint.ts';
import { formatFinding, hasErrors } from '../lint/lint-finding.ts';
import type { LintOptions } from '../lint/lint-target.ts';
import type { Architecture } from '../project.ts';
import { type Compression, fillBundleFolder } from './bundle-folder.ts';
import { epochSeconds } from './manifest.ts';
import { packFailure } from './pack-failure.ts';

export interface BundleOptions {
  /** The image of the root file system. */
  rootfs: string;
  /** Folder with the compiled programs. */
  programs: string;
  architecture: Architecture;
  /** `compatible` of the boards that the bundle is for; by default that of the guide's board. */
  compatible?: string | undefined;
  version: string;
  time: Date;
  revision: string;
  format: 'plain' | 'verity';
  compression: Compression;
  certificate: string;
  /** A PEM file (its passphrase in RAUC_KEY_PASSPHRASE) or a PKCS#11 URL. */
  key: string;
  intermediates: readonly string[];
  keyring: string;
  /** Whether the programs lie at the top, for a rauc that takes no folders. */
  isFlat: boolean;
  /** Where the bundle goes; an older one of that name is replaced when the new one is whole. */
  output: string;
  /** Scratch folder on the same disk. */
  cache: string;
  log: Log;
  signal?: AbortSignal | undefined;
}

/** Long enough for xz on two old cores and a root file system of several GiB. */
const packDeadlineMs = 3 * 60 * 60_000;
const progressMs = 10_000;

/**
 * Fills a fresh folder (RAUC 1.8 rewrites the folder that it packs), lints it, lets `rauc bundle` pack, sign and verify it,
 * and lints the packed bundle. Throws a Failure; then no incomplete bundle is left, and an older bundle of that name stays.
 */
export async function makeBundle(options: BundleOptions): Promise<void> {
  if (semver.valid(options.version) === null) {
    throw new Failure(`Cannot make a bundle of version "${options.version}": it is not a semantic version`, {
      outcome: 'usage',
      advice: 'Give one like 1.2.0',
    });
  }
  makeFolder(options.cache);
  const folder = join(options.cache, `bundle-${randomUUID()}`);
  const packed = `${folder}.raucb`;
  try {
    await fillBundleFolder(folder, options);
    await refuseFaults(folder, options.log, {
      architecture: options.architecture,
      certificatePath: options.certificate,
      compression: options.compression,
    });
    await pack(folder, packed, options);
    await refuseFaults(packed, options.log, { architecture: options.architecture });
    renameSync(packed, options.output);
  } finally {
    rmSync(folder, { recursive: true, force: true });
    rmSync(packed, { force: true });
  }
}

async function pack(folder: string, output: string, options: BundleOptions): Promise<void> {
  const { certificate, key, intermediates, keyring } = options;
  const signing = [
    `--cert=${certificate}`,
    `--key=${key}`,
    ...intermediates.map((file) => `--intermediate=${file}`),
    `--signing-keyring=${keyring}`,
  ];
  const progress = setInterval(() => options.log.info(`  ${sizeSoFar(output)} packed so far`), progressMs);
  const run = command({
    deadlineMs: packDeadlineMs,
    signal: options.signal,
    env: { SOURCE_DATE_EPOCH: undefined },
  });
  try {
    await run`rauc bundle ${signing} ${`--mksquashfs-args=${mksquashfsArguments(options)}`} ${folder} ${output}`;
  } catch (error) {
    throw packFailure(basename(options.output), error);
  } finally {
    clearInterval(progress);
  }
}

function sizeSoFar(path: string): string {
  return formatBytes(statSync(path, { throwIfNoEntry: false })?.size ?? 0);
}

/** Sets every time in the squashfs to the build time, so that the same content gives the same bytes. */
export function mksquashfsArguments({
  compression,
  time,
}: Pick<BundleOptions, 'compression' | 'time'>): string {
  const seconds = epochSeconds(time);
  return `-comp ${compression} -mkfs-time ${seconds} -all-time ${seconds}`;
}

async function refuseFaults(path: string, log: Log, options: LintOptions): Promise<void> {
  const findings = await lintBundle(path, options);
  for (const finding of findings) log.warn(formatFinding(finding));
  if (!hasErrors(findings)) return;
  throw new Failure('Cannot make the bundle: a device would fail at it, see the lines above', {
    outcome: 'incompatible',
  });
}
