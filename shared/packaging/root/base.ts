import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Failure, reasonOf } from '../../system/failure.ts';
import { formatBytes } from '../../system/files/disk.ts';
import { makeFolder } from '../../system/files/durable-file.ts';
import { type CommandFailure, command } from '../../system/process/command.ts';
import type { Log } from '../../system/terminal/log.ts';
import { epochSeconds } from '../bundle/manifest.ts';
import { requireTool } from '../device/host.ts';
import type { Architecture } from '../project.ts';
import type { Suite } from './suite.ts';

export interface BaseOptions {
  suite: Suite;
  packages: readonly string[];
  architecture: Architecture;
  /** A mirror's address or a sources.list; if undefined, mmdebstrap's default for the suite. */
  mirror: string | undefined;
  /** A folder of .deb files that are installed beside the suite's packages, or in their place. */
  debs: string | undefined;
  time: Date;
  /** Whether to download the packages again although they are in the cache. */
  isFresh: boolean;
  cache: string;
  log: Log;
  signal?: AbortSignal | undefined;
}

const baseMs = 60 * 60_000;
/** Folders in /usr/share that are not needed on a device. */
const leftOut = ['man', 'doc', 'info', 'locale', 'lintian'].map(
  (name) => `--dpkgopt=path-exclude=/usr/share/${name}/*`,
);
/** The modules that reach the disk before the root is mounted; with all modules an initrd would be ten times as large. */
const initrdModules = ['virtio_pci', 'virtio_mmio', 'virtio_blk', 'ext4', 'vfat'];

/**
 * Installs the packages of a root file system into a tar file and returns its path. The same list is installed once, then
 * taken from the cache. Needs root. Throws a Failure.
 */
export async function makeBase(options: BaseOptions): Promise<string> {
  const { cache, isFresh, log, suite } = options;
  makeFolder(cache);
  const tar = join(cache, `base-${suite.name}-${recipeOf(options)}.tar`);
  if (existsSync(tar) && !isFresh) {
    log.info(
      `Taking the packages of "${suite.name}" as fetched on ${day(statSync(tar).mtime)} (--fresh fetches newer ones)`,
    );
    return tar;
  }
  const work = mkdtempSync(join(cache, 'base-'));
  try {
    const part = join(work, 'root.tar');
    const list = `${options.packages.length} packages of "${suite.name}" and what they need`;
    await log.step('Fetching and installing', 'Installed', list, () => install(part, work, options));
    renameSync(part, tar);
    log.info(`  ${formatBytes(statSync(tar).size)} in "${tar}"`);
    return tar;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

async function install(tar: string, work: string, options: BaseOptions): Promise<void> {
  const { suite, mirror, debs, time, log, signal } = options;
  requireTool('mmdebstrap', 'mmdebstrap', 'make a root file system');
  const setup = join(work, 'setup');
  // These files must be there before the kernel's package makes its initrd.
  await Bun.write(join(setup, 'etc/initramfs-tools/conf.d/homie'), 'MODULES=list\nCOMPRESS=zstd\n');
  await Bun.write(join(setup, 'usr/share/initramfs-tools/modules.d/homie'), `${initrdModules.join('\n')}\n`);
  const args = [
    ...['--mode=root', '--format=tar', '--variant=minbase'],
    `--architectures=${options.architecture === 'x64' ? 'amd64' : options.architecture}`,
    `--components=${suite.components}`,
    `--include=${options.packages.join(',')}`,
    '--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr',
    `--setup-hook=copy-in ${setup}/etc ${setup}/usr /`,
    ...(debs === undefined ? [] : debHooks(debs)),
    ...leftOut,
    ...(suite.filters ?? []).map((filter) => `--dpkgopt=${filter}`),
    ...(suite.keyring === undefined ? [] : [`--keyring=${keyringAt(suite.keyring)}`]),
  ];
  const run = command({
    deadlineMs: baseMs,
    signal,
    env: { SOURCE_DATE_EPOCH: String(epochSeconds(time)), DEBIAN_FRONTEND: 'noninteractive' },
    onLine: (line) => {
      const step = /^I: ((?:downloading|extracting|installing|creating) .*)/.exec(line)?.[1];
      if (step !== undefined) log.info(`  ${step.replace(/[.]+$/, '')}`);
    },
  });
  try {
    await run`mmdebstrap ${args} ${suite.name} ${tar} ${mirror === undefined ? [] : [mirror]}`;
  } catch (error) {
    throw new Failure(`Cannot install the packages of "${suite.name}": ${wordsOf(error)}`, {
      cause: error,
      advice:
        'For another architecture than this machine it needs qemu-user-static, binfmt-support and arch-test',
    });
  }
}

/** apt resolves their dependencies; a version in this folder replaces the suite's version. */
function debHooks(folder: string): string[] {
  return [
    `--customize-hook=copy-in ${folder} /var/tmp`,
    `--customize-hook=chroot "$1" sh -c 'apt-get install -y --allow-downgrades /var/tmp/*/*.deb && rm -r /var/tmp/*'`,
  ];
}

function keyringAt(path: string): string {
  if (existsSync(path)) return path;
  throw new Failure(`Cannot trust the packages of the suite: there is no "${path}"`, {
    outcome: 'usage',
    advice: 'Install ubuntu-keyring, or give another suite',
  });
}

/** apt and mmdebstrap give the reason in a line that begins with E; the last such line only says that they failed. */
function wordsOf(error: unknown): string {
  const { stderr = '' } = error as Partial<CommandFailure>; // other errors have no stderr
  return /^E: (.*)$/m.exec(stderr)?.[1] ?? reasonOf(error);
}

/** The cache key: the same for the same packages from the same place. */
export function recipeOf(options: Omit<BaseOptions, 'cache' | 'log' | 'signal' | 'isFresh'>): string {
  const { suite, packages, architecture, mirror, debs, time } = options;
  const files = debs === undefined ? [] : debsIn(debs).map((name) => digestOf(join(debs, name)));
  const epoch = process.env['SOURCE_DATE_EPOCH'] === undefined ? 'any' : epochSeconds(time);
  const parts = [suite, packages, architecture, mirror, files, leftOut, initrdModules, epoch];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 16);
}

function debsIn(folder: string): string[] {
  const names = readdirSync(folder).filter((name) => name.endsWith('.deb'));
  if (names.length > 0) return names.sort();
  throw new Failure(`Cannot take packages from "${folder}": there is no .deb in it`, { outcome: 'usage' });
}

function digestOf(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}

function day(time: Date): string {
  return time.toISOString().slice(0, 10);
}
