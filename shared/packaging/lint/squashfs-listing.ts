import type { BundleEntry } from './bundle-entry.ts';

const line =
  /^([-dlcbps])([-rwxsStT]{9})\s+\d+\/\d+\s+(?:(\d+)|\d+,\s*\d+)\s+\d{4}-\d\d-\d\d \d\d:\d\d squashfs-root(?:\/(.*))?$/;
const permissions = [0o400, 0o200, 0o100, 0o040, 0o020, 0o010, 0o004, 0o002, 0o001];
const kinds: Record<string, BundleEntry['kind']> = { '-': 'file', d: 'folder', l: 'link' };

/**
 * Parses the output of `unsquashfs -lln`. Returns the first line that has another form instead of the entries: it comes
 * from a name with a line break, which is a mistake.
 */
export function parseSquashfsListing(text: string): Map<string, BundleEntry> | string {
  const entries = new Map<string, BundleEntry>();
  for (const row of text.split('\n')) {
    if (row === '') continue;
    const match = line.exec(row);
    if (match === null) return row;
    const [, type = '', modes = '', bytes = '0', name] = match;
    if (name === undefined) continue;
    const arrow = type === 'l' ? name.indexOf(' -> ') : -1;
    const path = arrow < 0 ? name : name.slice(0, arrow);
    entries.set(path, {
      path,
      kind: kinds[type] ?? 'special',
      bytes: Number(bytes),
      mode: modeOf(modes),
      ...(arrow < 0 ? {} : { target: name.slice(arrow + ' -> '.length) }),
    });
  }
  return entries;
}

function modeOf(letters: string): number {
  return permissions.reduce(
    (mode, bit, index) => ('-ST'.includes(letters.charAt(index)) ? mode : mode | bit),
    0,
  );
}
