import { createHash } from 'node:crypto';
import { lstatSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type VerifiedArchive, verifyArchive } from '../../../shared/data/archive/archive-check.ts';
import { command } from '../../../shared/system/process/command.ts';

export const run = command({ deadlineMs: 60_000 });

export interface TemporaryFolder extends Disposable {
  readonly path: string;
}

export function temporaryFolder(): TemporaryFolder {
  const path = mkdtempSync(join(tmpdir(), 'archive-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

/** All that a restore has to bring back, one line a thing: two trees are the same when these are. */
export async function listTree(folder: string): Promise<string[]> {
  const found = await run`find ${folder} -printf ${'%P\\0'}`;
  const names = found.stdout.split('\0').slice(0, -1).sort();
  const firstNames = new Map<bigint, string>();
  const lines = names.map((name) => {
    const path = join(folder, name);
    const stats = lstatSync(path, { bigint: true });
    const firstName = firstNames.get(stats.ino) ?? name;
    firstNames.set(stats.ino, firstName);
    return JSON.stringify({
      name,
      mode: stats.mode.toString(8),
      owner: `${stats.uid}:${stats.gid}`,
      mtime: String(stats.mtimeNs),
      size: stats.isFile() ? String(stats.size) : '',
      sameAs: firstName,
      links: stats.isDirectory() ? '' : String(stats.nlink),
      target: stats.isSymbolicLink() ? readlinkSync(path) : '',
      content: stats.isFile() ? createHash('sha256').update(readFileSync(path)).digest('hex') : '',
    });
  });
  const attributes = await command({ deadlineMs: 60_000, cwd: folder })`getfattr -R -P -h -d -m - -e hex .`;
  return [...lines, ...attributes.stdout.split('\n\n').sort()];
}

/** Restores with GNU tar, as the recovery instructions do; a time to come is no fault, boards start in 1970. */
export async function restore(archive: string, into: string): Promise<void> {
  const exactly = ['--xattrs', '--xattrs-include=*', '--same-owner', '--warning=no-timestamp'];
  const { stderr } = await run`tar --zstd ${exactly} -xpf ${archive} -C ${into}`;
  if (stderr !== '') throw new Error(`tar complains: ${stderr}`);
}

export function verify(archive: string, rootName: string): Promise<VerifiedArchive> {
  return verifyArchive(archive, rootName, new AbortController().signal);
}

/** Our open descriptors on files that lie below the folder. */
export function openDescriptorsBelow(folder: string): string[] {
  const links = readdirSync('/proc/self/fd').map((descriptor) => {
    try {
      return readlinkSync(`/proc/self/fd/${descriptor}`);
    } catch {
      return '';
    }
  });
  return links.filter((link) => link.startsWith(folder));
}
