import { closeSync, ftruncateSync, openSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { Failure, isMissing, reasonOf } from '../failure.ts';
import { makeFolder, writeAll } from '../files/durable-file.ts';
import { tryFlock } from '../files/libc.ts';

const betweenTriesMs = 50;
const mostTries = 40;

/** Who holds the lock, and what for: the file's content, for people and for the hooks that RAUC runs on its behalf. */
export interface LockHolder {
  program: string;
  pid: number;
  /** The version being installed, once it is known: RAUC's hooks for that version belong to this holder. */
  installing?: string;
}

export interface Lock {
  /** Notes what the holder is at. */
  note(installing: string | undefined): void;
  release(): void;
}

/** Takes the lock, or answers with its holder. The kernel frees it when we die: no lock is ever stale. */
export function tryLock(path: string, program: string): Lock | LockHolder {
  const descriptor = openLock(path);
  if (!tryFlock(descriptor) && !tryFlockAgain(descriptor, path)) {
    closeSync(descriptor);
    return readHolder(path);
  }
  const note = (installing: string | undefined): void => {
    const holder: LockHolder = {
      program,
      pid: process.pid,
      ...(installing === undefined ? {} : { installing }),
    };
    ftruncateSync(descriptor, 0);
    writeAll(descriptor, `${JSON.stringify(holder)}\n`);
  };
  try {
    note(undefined);
  } catch (error) {
    closeSync(descriptor);
    throw new Failure(`Cannot write the lock "${path}": ${reasonOf(error)}`, { cause: error });
  }
  let isHeld = true;
  return {
    note,
    release() {
      if (!isHeld) return;
      isHeld = false;
      ftruncateSync(descriptor, 0);
      closeSync(descriptor);
    },
  };
}

/** Who holds the lock now, without touching it; nobody where there is no such file. */
export function lockHolder(path: string): LockHolder | undefined {
  let descriptor: number;
  try {
    descriptor = openSync(path, 'r');
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw new Failure(`Cannot read the lock "${path}": ${reasonOf(error)}`, { cause: error });
  }
  try {
    return tryFlock(descriptor) ? undefined : readHolder(path);
  } finally {
    closeSync(descriptor);
  }
}

export function isLock(result: Lock | LockHolder): result is Lock {
  return 'release' in result;
}

/**
 * Somebody who only asks who holds it has it for an instant too, which is long on a busy machine: a holder has its name
 * in the file.
 */
function tryFlockAgain(descriptor: number, path: string): boolean {
  for (let tries = 0; tries < mostTries; tries += 1) {
    Bun.sleepSync(betweenTriesMs);
    if (tryFlock(descriptor)) return true;
    if (readHolder(path).pid !== 0) return false;
  }
  return false;
}

function openLock(path: string): number {
  try {
    makeFolder(dirname(path));
    return openSync(path, 'a+');
  } catch (error) {
    throw new Failure(`Cannot open the lock "${path}": ${reasonOf(error)}`, { cause: error });
  }
}

function readHolder(path: string): LockHolder {
  try {
    const holder: unknown = JSON.parse(readFileSync(path, 'utf8'));
    if (typeof holder === 'object' && holder !== null && 'program' in holder && 'pid' in holder) {
      const installing = 'installing' in holder ? { installing: String(holder.installing) } : {};
      return { program: String(holder.program), pid: Number(holder.pid), ...installing };
    }
  } catch {
    // Its holder is just writing it.
  }
  return { program: 'another program', pid: 0 };
}
