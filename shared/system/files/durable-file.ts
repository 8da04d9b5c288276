import {
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { errorCodeOf } from '../failure.ts';
import { atStep, stepPoint } from '../fault-point.ts';

/**
 * Puts a file in place whole or not at all, whenever power fails: temporary file, fsync, rename, fsync of the folder.
 * Throws the system's error, and leaves the old file as it was.
 */
export function writeDurably(path: string, content: string | Uint8Array, mode = 0o644, owner?: Owner): void {
  putInPlace(path, mode, (part) => {
    const descriptor = openSync(part, 'w', mode);
    try {
      writeAll(descriptor, content);
      if (owner !== undefined) fchownSync(descriptor, owner.uid, owner.gid);
    } finally {
      closeSync(descriptor);
    }
  });
}

/** The owner of a file; by default the process that writes it. */
export interface Owner {
  uid: number;
  gid: number;
}

/** The file that an interrupted `writeDurablyMeanwhile` leaves; the next call replaces it. */
export function meanwhilePartOf(path: string): string {
  return `${path}.part`;
}

/**
 * Promises the same as writeDurably(), but does not block while the disk works: for a note that is written again and
 * again, by one program at a time.
 */
export async function writeDurablyMeanwhile(path: string, content: string, mode = 0o644): Promise<void> {
  const part = meanwhilePartOf(path);
  const step = (): string => `write ${basename(path)}`;
  stepPoint('before', step);
  try {
    const file = await open(part, 'w', mode);
    try {
      await file.writeFile(content);
      await file.chmod(mode);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(part, path);
  } catch (error) {
    discard(part);
    throw error;
  }
  const folder = await open(dirname(path), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
  stepPoint('after', step);
}

/** Promises the same as writeDurably(), for a copy of another file. */
export function copyDurably(from: string, to: string, mode: number): void {
  putInPlace(to, mode, (part) => copyFileSync(from, part));
}

function putInPlace(path: string, mode: number, fill: (part: string) => void): void {
  const part = `${path}.${process.pid}.part`;
  const step = (): string => `write ${basename(path)}`;
  removeParts(path);
  atStep(step, () => {
    try {
      fill(part);
      finish(part, mode);
      renameSync(part, path);
    } catch (error) {
      discard(part);
      throw error;
    }
    syncFolder(dirname(path));
  });
}

/** Removes the parts of this file that killed programs have left: each of them has another process id. */
function removeParts(path: string): void {
  const [folder, name] = [dirname(path), basename(path)];
  try {
    for (const found of readdirSync(folder)) {
      if (!found.startsWith(`${name}.`)) continue;
      const pid = /^(\d+)\.part$/.exec(found.slice(name.length + 1))?.[1];
      if (pid !== undefined && !isAlive(Number(pid))) discard(join(folder, found));
    }
  } catch {
    // What is left only wastes space; a folder that is missing is the caller's error.
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errorCodeOf(error) !== 'ESRCH';
  }
}

/** The mode is set again because open(2) applies our umask to it. */
function finish(part: string, mode: number): void {
  const descriptor = openSync(part, 'r');
  try {
    fchmodSync(descriptor, mode);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function discard(part: string): void {
  try {
    unlinkSync(part);
  } catch {
    // Usually the file never existed; in any case the first error is the one to report.
  }
}

/** Renames a finished `.part` file into place so that the name survives a power cut. */
export function renameDurably(from: string, to: string): void {
  const step = (): string => `put ${basename(to)}`;
  atStep(step, () => {
    renameSync(from, to);
    syncFolder(dirname(to));
  });
}

/** Removes a file so that it stays away when power fails. A missing file is no error. */
export function removeDurably(path: string): void {
  const step = (): string => `remove ${basename(path)}`;
  atStep(step, () => {
    rmSync(path, { force: true });
    if (existsSync(dirname(path))) syncFolder(dirname(path));
  });
}

/**
 * Appends one line and fsyncs; a line torn by an earlier power cut is ended first, so that the new line stands alone.
 * The folder is synced with the first line: otherwise a new file's name is lost.
 */
export function appendLine(path: string, line: string): void {
  const step = (): string => `append ${basename(path)}`;
  atStep(step, () => {
    const descriptor = openSync(path, constants.O_RDWR | constants.O_APPEND | constants.O_CREAT, 0o644);
    try {
      const { size } = fstatSync(descriptor);
      writeAll(descriptor, `${endsMidLine(descriptor, size) ? '\n' : ''}${line}\n`);
      fsyncSync(descriptor);
      if (size === 0) syncFolder(dirname(path));
    } finally {
      closeSync(descriptor);
    }
  });
}

export function makeFolder(path: string, mode = 0o755): void {
  mkdirSync(path, { recursive: true, mode });
}

export function syncFolder(path: string): void {
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** Whether the other path is a regular file with the same bytes. Reads in pieces, because these files are large. */
export function isSameFile(one: string, other: string): boolean {
  const oneStat = statSync(one);
  const otherStat = lstatSync(other, { throwIfNoEntry: false });
  if (otherStat === undefined || !otherStat.isFile() || otherStat.size !== oneStat.size) return false;
  if (otherStat.dev === oneStat.dev && otherStat.ino === oneStat.ino) return true;
  const first = openSync(one, 'r');
  try {
    const second = openSync(other, 'r');
    try {
      return isSameContent(first, second);
    } finally {
      closeSync(second);
    }
  } finally {
    closeSync(first);
  }
}

const pieceBytes = 1024 * 1024;

function isSameContent(first: number, second: number): boolean {
  const one = Buffer.alloc(pieceBytes);
  const other = Buffer.alloc(pieceBytes);
  for (;;) {
    const length = readSync(first, one);
    if (readSync(second, other) !== length) return false;
    if (length === 0) return true;
    if (one.compare(other, 0, length, 0, length) !== 0) return false;
  }
}

/** Writes until all is written: a full disk may accept a part first, and report the error only then. */
export function writeAll(descriptor: number, content: string | Uint8Array): void {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  let written = 0;
  while (written < bytes.length) written += writeSync(descriptor, bytes, written);
}

function endsMidLine(descriptor: number, size: number): boolean {
  if (size === 0) return false;
  const last = Buffer.alloc(1);
  readSync(descriptor, last, 0, 1, size - 1);
  return last[0] !== 0x0a;
}
