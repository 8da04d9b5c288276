import {
  chownSync,
  copyFileSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  utimesSync,
} from 'node:fs';
import { join } from 'node:path';

/** A larger file is a program: it is never written, so a link to it is as good as a copy. */
const linkedFrom = 1 << 20;

/** Makes `to` a copy of `from`, owners, modes and times too, but for the names that are left as they are. The folder itself stays. */
export function copyFolder(from: string, to: string, left: readonly string[] = []): void {
  mkdirSync(to, { recursive: true });
  const namesIn = (folder: string): string[] => readdirSync(folder).filter((name) => !left.includes(name));
  for (const name of namesIn(to)) rmSync(join(to, name), { recursive: true, force: true });
  for (const name of namesIn(from)) copyInto(join(from, name), join(to, name));
}

function copyInto(from: string, to: string): void {
  const stat = lstatSync(from);
  // A socket is of the process that listens, and no copy of it would be.
  if (stat.isSocket()) return;
  if (stat.isSymbolicLink()) symlinkSync(readlinkSync(from), to);
  else if (stat.size >= linkedFrom) linkSync(from, to);
  else {
    if (stat.isDirectory()) {
      mkdirSync(to, { mode: stat.mode });
      for (const name of readdirSync(from)) copyInto(join(from, name), join(to, name));
    } else copyFileSync(from, to);
    if (stat.uid !== 0 || stat.gid !== 0) chownSync(to, stat.uid, stat.gid);
    utimesSync(to, stat.atime, stat.mtime);
  }
}
