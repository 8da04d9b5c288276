import { closeSync, ftruncateSync, openSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { Failure, isMissing, reasonOf } from '../failure.ts';
import { makeFolder, writeAll } from '../files/durable-file.ts';
import { tryFlock } from '../files/libc.ts';

const betweenTriesMs = 50;
const mostTries = 40;

/** The holder of the lock and its purpose: the file's content, for people and for the hooks that RAUC runs for the holder. */
export interface LockHolder {
  program: string;
  pid: number;
  /** The version being installed, once it is known: RAUC's hooks for that version belong to this holder. */
  installing?: string;
}

export interface Lock {
  /** Notes the version that the holder installs. */
  note(installing: string | undefined): void;
  release(): void;
}

/** Takes the lock, or returns its holder. The kernel frees it when we die: no lock is ever stale. */
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

/** The current holder of the lock, read without changing the file; undefined if it is free or there is no such file. */
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
 * A program that only asks for the holder also has the lock for an instant, which is long on a busy machine: only a
 * real holder has its name in the file.
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
