/** An entry of a bundle, in a folder to be packed or in a packed bundle. Paths are relative, with `/`, without `./`. */
export interface BundleEntry {
  path: string;
  kind: 'file' | 'folder' | 'link' | 'special';
  bytes: number;
  /** Permission bits. */
  mode: number;
  /** The target of a link. */
  target?: string;
  /** Files with the same identity are one file with several names. */
  identity?: string;
}

export type Resolved =
  | { kind: 'found'; entry: BundleEntry }
  | { kind: 'missing' }
  | { kind: 'outside'; link?: string };

type Entries = ReadonlyMap<string, BundleEntry>;
const mostLinks = 40;

/** Follows the path and its links as the kernel would on a device; outside of the bundle's folder there is nothing. */
export function resolveEntry(entries: Entries, path: string): Resolved {
  if (path.startsWith('/')) return { kind: 'outside' };
  const pending = path.split('/');
  const reached: string[] = [];
  let links = 0;
  for (let part = pending.shift(); part !== undefined; part = pending.shift()) {
    if (part === '' || part === '.') continue;
    if (part === '..') {
      if (reached.pop() === undefined) return { kind: 'outside' };
      continue;
    }
    const here = [...reached, part].join('/');
    const entry = entries.get(here);
    if (entry === undefined) return { kind: 'missing' };
    if (entry.kind !== 'link') {
      reached.push(part);
      continue;
    }
    const target = entry.target ?? '';
    if (target.startsWith('/')) return { kind: 'outside', link: here };
    if (++links > mostLinks) return { kind: 'missing' };
    pending.unshift(...target.split('/'));
  }
  const entry = entries.get(reached.join('/'));
  return entry === undefined ? { kind: 'missing' } : { kind: 'found', entry };
}

export function folderOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash < 0 ? '' : path.slice(0, slash);
}

export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
