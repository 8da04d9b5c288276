import type { TreeEntry } from './tree-walk.ts';

/** One entry as archiver's tar plugin passes it to tar-stream; pax records carry the values that do not fit a tar header. */
export interface EntryData {
  name: string;
  type: TreeEntry['kind'];
  mode: string;
  date: Date;
  uid: number;
  gid: number;
  linkname?: string;
  pax: Record<string, string>;
  /** Without it archiver would collect a stream in memory to learn its size. */
  stats: { size: number };
}

/** The largest numbers that fit the header: tar-stream writes six octal digits, and eleven for a size. */
const largestOwner = 0o777777n;
const largestSize = 0o77777777777n;
/** tar-stream cuts times to 32 bits with a sign. */
const largestSeconds = 0x7fffffff;

/** Describes the entry so that GNU tar restores it exactly. Sizes and times are those of `stats`. */
export function describeEntry(entry: TreeEntry, stats = entry.stats): EntryData {
  const size = entry.kind === 'file' ? stats.size : 0n;
  const path = entry.kind === 'directory' ? `${entry.name}/` : entry.name;
  const name = harmlessName(entry.name);
  const pax: Record<string, string> = { mtime: paxTime(stats.mtimeNs) };
  if (name !== entry.name) pax['path'] = path;
  if (stats.uid > largestOwner) pax['uid'] = String(stats.uid);
  if (stats.gid > largestOwner) pax['gid'] = String(stats.gid);
  if (size > largestSize) pax['size'] = String(size);
  for (const [attribute, value] of entry.attributes) pax[`SCHILY.xattr.${keyword(attribute)}`] = value;
  return {
    name,
    type: entry.kind,
    // As text, with the file type's bits: archiver strips them from a number, and tar-stream takes 0 for "not given".
    mode: String(stats.mode),
    date: headerDate(stats.mtimeNs),
    uid: Number(stats.uid),
    gid: Number(stats.gid),
    ...(entry.linkName === '' ? {} : { linkname: entry.linkName }),
    pax,
    stats: { size: Number(size) },
  };
}

/** archiver "sanitizes" names: backslashes become folders, a leading `word:` is cut. The pax path has the true name. */
function harmlessName(name: string): string {
  return name.replace(/[\\:]/g, '_');
}

/** GNU tar's own escape: a record's keyword ends at the first `=`. */
function keyword(attribute: string): string {
  return attribute.replaceAll('%', '%25').replaceAll('=', '%3D');
}

/** Seconds with nine digits after the point (pax(1)); before 1970 the whole number is negative. */
function paxTime(ns: bigint): string {
  const sign = ns < 0n ? '-' : '';
  const digits = String(ns < 0n ? -ns : ns).padStart(10, '0');
  return `${sign}${digits.slice(0, -9)}.${digits.slice(-9)}`;
}

function headerDate(ns: bigint): Date {
  const seconds = Number(ns / 1_000_000_000n);
  return new Date(Math.min(Math.max(seconds, 0), largestSeconds) * 1000);
}
