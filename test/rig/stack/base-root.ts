import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { onHost } from '../../../shared/packaging/device/host.ts';
import { project } from '../../../shared/packaging/project.ts';
import { command } from '../../../shared/system/process/command.ts';

const suite = 'bookworm';
const buildMs = 600_000;
const source = join(import.meta.dir, 'images', 'base');

/** In Debian's words, for another machine than this one; it takes qemu-user-static to run what is in it. */
export type ForeignArchitecture = 'arm64';

/**
 * One Debian root for all images, as a tar file, made of this machine's own package sources; made once, then taken
 * from the cache. Needs root.
 */
export async function baseRoot(signal?: AbortSignal, architecture?: ForeignArchitecture): Promise<string> {
  const name = ['base', architecture, fingerprintOf(source)].filter((part) => part !== undefined).join('-');
  const tar = join(project.cache, 'stack', `${name}.tar`);
  if (existsSync(tar)) return tar;
  mkdirSync(join(project.cache, 'stack'), { recursive: true });
  const work = mkdtempSync(join(project.cache, 'stack', 'base-'));
  const root = join(work, 'root');
  try {
    const packages = readFileSync(join(source, 'packages'), 'utf8').trim().split('\n').join(',');
    const quietly = ['--quiet', '--variant=extract', `--include=${packages}`];
    const foreign = architecture === undefined ? [] : [`--architectures=${architecture}`];
    await command({
      deadlineMs: buildMs,
      signal,
    })`mmdebstrap ${quietly} ${foreign} ${suite} ${root} ${packageSources()}`;
    const finish = onHost({ cwd: root, env: { PYTHONDONTWRITEBYTECODE: undefined }, signal });
    await finish`sh ${join(source, 'finish.sh')}`;
    await onHost({
      signal,
    })`tar --create --numeric-owner --file=${join(work, 'root.tar')} --directory=${root} .`;
    renameSync(join(work, 'root.tar'), tar);
    return tar;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** The same for the same files, with any times. */
export function fingerprintOf(folder: string): string {
  const hash = new Bun.CryptoHasher('sha256');
  for (const entry of readdirSync(folder, { recursive: true, encoding: 'utf8', withFileTypes: true }).sort(
    byPath,
  ))
    if (entry.isFile())
      hash.update(`${entry.name}\0`).update(readFileSync(join(entry.parentPath, entry.name)));
  return hash.digest('hex').slice(0, 16);
}

function byPath(one: { parentPath: string; name: string }, other: typeof one): number {
  return join(one.parentPath, one.name) < join(other.parentPath, other.name) ? -1 : 1;
}

/** Where apt itself is told to look; with none, mmdebstrap uses its own. */
function packageSources(): string[] {
  const more = '/etc/apt/sources.list.d';
  const files = existsSync(more) ? readdirSync(more).map((name) => join(more, name)) : [];
  return ['/etc/apt/sources.list', ...files]
    .filter((path) => /\.(list|sources)$/.test(path) && existsSync(path))
    .filter((path) => new RegExp(`^[^#]*\\s${suite}(\\s|$)`, 'm').test(readFileSync(path, 'utf8')));
}

/** This machine's package sources, a mirror perhaps, as those of another release. Writes them into the folder. */
export function packageSourcesOf(release: string, folder: string): string[] {
  const own = packageSources();
  if (release === suite) return own;
  mkdirSync(folder, { recursive: true });
  return own.map((path) => {
    const file = join(folder, basename(path));
    writeFileSync(file, sourcesOf(release, readFileSync(path, 'utf8')));
    return file;
  });
}

/** Unstable has no updates and no security fixes beside it. */
function sourcesOf(release: string, text: string): string {
  const all = text.replaceAll(suite, release);
  if (release !== 'sid') return all;
  return all
    .replace(/ sid-(updates|backports)\b/g, '')
    .split(/\n\n+/)
    .filter((part) => !/sid(-security|\/updates)/.test(part))
    .join('\n\n');
}
