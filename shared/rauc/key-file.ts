/** GLib's key files, as RAUC reads them (manifest.raucm, system.conf): groups of `key=value`, lists with `;`. */

export interface KeyFileEntry {
  key: string;
  value: string;
  /** One-based, for messages. */
  line: number;
}

export interface KeyFileGroup {
  name: string;
  line: number;
  entries: KeyFileEntry[];
}

export interface KeyFile {
  groups: KeyFileGroup[];
  /** Lines that are no group, entry, comment or blank line. */
  unreadable: { line: number; text: string }[];
}

/** Never throws: it lists the lines that it cannot read. A repeated group continues the first. */
export function parseKeyFile(text: string): KeyFile {
  const file: KeyFile = { groups: [], unreadable: [] };
  let group: KeyFileGroup | undefined;
  for (const [index, raw] of text.split('\n').entries()) {
    const line = index + 1;
    const content = raw.trim();
    if (content === '' || content.startsWith('#')) continue;
    const header = /^\[([^[\]]+)\]$/.exec(content);
    const entry = /^([^=[\]]+?)\s*=\s*(.*)$/.exec(content);
    if (header?.[1] !== undefined) {
      group = openGroup(file, header[1], line);
    } else if (entry?.[1] !== undefined && group !== undefined) {
      group.entries.push({ key: entry[1], value: entry[2] ?? '', line });
    } else {
      file.unreadable.push({ line, text: content });
    }
  }
  return file;
}

function openGroup(file: KeyFile, name: string, line: number): KeyFileGroup {
  const known = groupOf(file, name);
  if (known !== undefined) return known;
  const group = { name, line, entries: [] };
  file.groups.push(group);
  return group;
}

export function groupOf(file: KeyFile, name: string): KeyFileGroup | undefined {
  return file.groups.find((group) => group.name === name);
}

/** The last value of the key, as in GLib. */
export function valueIn(file: KeyFile, group: string, key: string): string | undefined {
  return groupOf(file, group)?.entries.findLast((entry) => entry.key === key)?.value;
}

/** A list value: `pre-install;post-install` or the same with a last `;`. */
export function listOf(value: string | undefined): string[] {
  return (value ?? '')
    .split(';')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}
