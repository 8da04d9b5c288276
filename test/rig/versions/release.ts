import {
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import semver from 'semver';
import { onHost } from '../../../shared/packaging/device/host.ts';
import { project } from '../../../shared/packaging/project.ts';
import { command } from '../../../shared/system/process/command.ts';
import { packageSourcesOf } from '../stack/base-root.ts';

/** RAUC as other releases of Debian have it: from its package, with its libraries, in a folder; no root of its own. */

export const raucSuites = ['bookworm', 'trixie', 'sid'] as const;
export type RaucSuite = (typeof raucSuites)[number];

export interface RaucRelease {
  suite: RaucSuite;
  version: string;
  /** SHA-256 of the Debian package. */
  sha256: string;
  /** The folder with `rauc`, for PATH. */
  bin: string;
}

const unpackMs = 600_000;

/** Made once, then taken from the cache. Throws a Failure that names what the package sources lack. */
export async function raucOf(suite: RaucSuite, signal: AbortSignal): Promise<RaucRelease> {
  const folder = join(project.cache, 'rauc', suite);
  if (!existsSync(folder)) await unpack(suite, folder, signal);
  const bin = join(folder, 'bin');
  const { stdout } = await onHost({ signal })`${join(bin, 'rauc')} --version`;
  const sha256 = readFileSync(join(folder, 'sha256'), 'utf8').split(' ')[0] ?? '';
  return { suite, version: semver.coerce(stdout)?.version ?? stdout.trim(), sha256, bin };
}

async function unpack(suite: RaucSuite, folder: string, signal: AbortSignal): Promise<void> {
  mkdirSync(join(folder, '..'), { recursive: true });
  const work = mkdtempSync(`${folder}-`);
  try {
    const root = join(work, 'root');
    const sum = `--extract-hook=sha256sum "$1"/var/cache/apt/archives/rauc_*.deb >"$1"/../sha256`;
    // A mirror's copy of the unstable release is older than it says that it may be.
    const options = [
      '--quiet',
      '--variant=extract',
      '--include=rauc',
      '--aptopt=Acquire::Check-Valid-Until "false"',
    ];
    const run = command({ deadlineMs: unpackMs, signal });
    await run`mmdebstrap ${options} ${sum} ${suite} ${root} ${packageSourcesOf(suite, join(work, 'sources'))}`;
    const [loader, libraries] = findLibraries(root);
    mkdirSync(join(work, 'bin'));
    const at = (path: string): string => `"\${0%/*}/../root/${path}"`;
    const path = libraries.map(at).join(':');
    const script = `#!/bin/sh\nexec ${at(loader)} --library-path ${path} ${at('usr/bin/rauc')} "$@"\n`;
    writeFileSync(join(work, 'bin/rauc'), script, { mode: 0o755 });
    renameSync(work, folder);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Debian 12 unpacks into /lib and /usr/lib, Debian 13 into /usr/lib only. */
function findLibraries(root: string): [loader: string, libraries: string[]] {
  const [loader] = globSync('{usr/,}lib*/**/ld-linux-*.so.*', { cwd: root });
  const libraries = globSync('{usr/,}lib/*-linux-gnu', { cwd: root });
  if (loader === undefined || libraries.length === 0) throw new Error(`no loader in ${root}`);
  return [loader, libraries];
}
