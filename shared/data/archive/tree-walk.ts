import { type BigIntStats, lstatSync, readdirSync, readlinkSync } from 'node:fs';
import { isMissing } from '../../system/failure.ts';
import { extendedAttributes } from '../../system/files/libc.ts';
import { cannotBackUp } from './archive-failure.ts';

/** One entry of a folder tree that an archive can hold. */
export interface TreeEntry {
  kind: 'file' | 'directory' | 'symlink' | 'link';
  /** Its path on the disk. */
  path: string;
  /** Its name in the archive. */
  name: string;
  stats: BigIntStats;
  /** A symlink's target, or the archive's name of the file that a hard link shares. */
  linkName: string;
  attributes: ReadonlyMap<string, string>;
}

/** Something that the archive cannot hold and therefore leaves out. */
export interface LeftOut {
  path: string;
  /**
   * `mount` is another file system; `name`, `target` and `xattr` are bytes that are not UTF-8; `vanished` is gone since
   * its folder was listed, as a temporary file is.
   */
  kind: 'fifo' | 'socket' | 'device' | 'mount' | 'name' | 'target' | 'xattr' | 'vanished';
  /** The attribute's name where the kind is `xattr`. */
  attribute?: string;
}

interface Found {
  path: string;
  name: string;
}

/**
 * Walks the folder: first the folder itself, each folder before its contents, names in order, so that the same tree
 * gives the same archive. Stays on the folder's file system; reports to `leaveOut` what it leaves out. Throws a
 * Failure if the disk fails.
 */
export function* walkTree(
  folder: string,
  rootName: string,
  leaveOut: (leftOut: LeftOut) => void,
): Generator<TreeEntry> {
  const firstNames = new Map<string, string>();
  const waiting: Found[] = [{ path: folder, name: rootName }];
  let device: bigint | undefined;

  for (let found = waiting.pop(); found !== undefined; found = waiting.pop()) {
    const { path, name } = found;
    // Without the folder itself there is nothing to back up: that fails.
    const passOver = path === folder ? undefined : (): void => leaveOut({ path: name, kind: 'vanished' });
    const stats = unlessVanished(path, () => lstatSync(path, { bigint: true }), passOver);
    if (stats === undefined) continue;
    device ??= stats.dev;
    const kind = kindOf(stats);
    if (kind === 'fifo' || kind === 'socket' || kind === 'device') {
      leaveOut({ path: name, kind });
      continue;
    }
    // Only a folder's device identifies a mount: overlayfs gives files the device of the layer they lie in.
    if (kind === 'directory' && stats.dev !== device) {
      leaveOut({ path: name, kind: 'mount' });
      continue;
    }

    const inode = `${stats.dev}:${stats.ino}`;
    const isShared = stats.nlink > 1n && kind !== 'directory';
    const firstName = isShared ? firstNames.get(inode) : undefined;
    if (firstName !== undefined) {
      yield { kind: 'link', path, name, stats, linkName: firstName, attributes: new Map() };
      continue;
    }
    const target =
      kind === 'symlink'
        ? unlessVanished(path, () => readlinkSync(path, { encoding: 'buffer' }), passOver)
        : Buffer.alloc(0);
    if (target === undefined) continue;
    const linkName = textOf(target);
    if (linkName === undefined) {
      leaveOut({ path: name, kind: 'target' });
      continue;
    }
    if (isShared) firstNames.set(inode, name);
    yield { kind, path, name, stats, linkName, attributes: attributesOf(found, leaveOut) };
    if (kind !== 'directory') continue;
    const names = unlessVanished(path, () => readdirSync(path, { encoding: 'buffer' }), passOver);
    // One by one: a call takes only so many arguments, and a folder may have a million entries.
    for (const inside of contentsOf(found, names ?? [], leaveOut)) waiting.push(inside);
  }
}

function kindOf(stats: BigIntStats): 'file' | 'directory' | 'symlink' | 'fifo' | 'socket' | 'device' {
  if (stats.isFile()) return 'file';
  if (stats.isDirectory()) return 'directory';
  if (stats.isSymbolicLink()) return 'symlink';
  if (stats.isFIFO()) return 'fifo';
  return stats.isSocket() ? 'socket' : 'device';
}

/** Undefined for a path that vanished, after `passOver`. Without `passOver`, and for any other error, throws a Failure. */
function unlessVanished<T>(path: string, work: () => T, passOver: (() => void) | undefined): T | undefined {
  try {
    return work();
  } catch (error) {
    if (!isMissing(error) || passOver === undefined) throw cannotBackUp(path, error);
    passOver();
    return undefined;
  }
}

/** The folder's contents, the last name first, because the caller takes them from the end of its stack. */
function contentsOf(folder: Found, names: readonly Buffer[], leaveOut: (leftOut: LeftOut) => void): Found[] {
  const contents: Found[] = [];
  for (const bytes of names.toSorted((a, b) => b.compare(a))) {
    const name = textOf(bytes);
    if (name === undefined) leaveOut({ path: `${folder.name}/${bytes.toString()}`, kind: 'name' });
    else contents.push({ path: `${folder.path}/${name}`, name: `${folder.name}/${name}` });
  }
  return contents;
}

function attributesOf(found: Found, leaveOut: (leftOut: LeftOut) => void): Map<string, string> {
  const attributes = new Map<string, string>();
  for (const [attribute, value] of extendedAttributes(found.path)) {
    const text = value === undefined ? undefined : textOf(value);
    if (text === undefined) leaveOut({ path: found.name, kind: 'xattr', attribute });
    else attributes.set(attribute, text);
  }
  return attributes;
}

/** The bytes as text; undefined if they are not UTF-8, because archiver can write nothing else. */
function textOf(bytes: Buffer): string | undefined {
  const text = bytes.toString('utf8');
  return Buffer.from(text).equals(bytes) ? text : undefined;
}
