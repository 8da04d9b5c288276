import { createHash } from 'node:crypto';
import { closeSync, createReadStream, fsyncSync, openSync, readFileSync, rmSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { renameDurably, writeDurably } from '../system/durable-file.ts';
import { Failure, isMissing, reasonOf } from '../system/failure.ts';
import { checksumFileOf } from './archive-file.ts';

/** A file that another program fills: `<target>.part`, then `<target>.sha256`, then the target itself. */

export interface SavedFile {
  path: string;
  sha256: string;
  bytes: number;
}

export function partOf(target: string): string {
  return `${target}.part`;
}

/** Empty and private: it holds all that the stack knows. */
export function beginPart(target: string): string {
  const part = partOf(target);
  rmSync(part, { force: true });
  closeSync(openSync(part, 'wx', 0o600));
  return part;
}

/** Makes it visible, with its checksum first, whenever power fails. One of that name from before is gone then. */
export async function commitPart(target: string, signal?: AbortSignal): Promise<SavedFile> {
  const part = partOf(target);
  const descriptor = openSync(part, 'r+');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  const sha256 = await hashFile(part, signal);
  const { size: bytes } = statSync(part);
  rmSync(target, { force: true });
  writeDurably(checksumFileOf(target), `${sha256}  ${basename(target)}\n`, 0o600);
  renameDurably(part, target);
  return { path: target, sha256, bytes };
}

/** A checksum without its file says nothing: it goes too, unless an older file of that name still stands. */
export function discardPart(target: string): void {
  rmSync(partOf(target), { force: true });
  if (statSync(target, { throwIfNoEntry: false }) === undefined)
    rmSync(checksumFileOf(target), { force: true });
}

/** Throws a Failure unless the file has the checksum beside it. Answers with that. */
export async function checkSaved(path: string, signal?: AbortSignal): Promise<string> {
  const expected = readChecksum(path);
  let sha256: string;
  try {
    sha256 = await hashFile(path, signal);
  } catch (error) {
    throw cannotTrust(path, signal?.aborted ? 'it was told to end' : reasonOf(error), error);
  }
  if (sha256 !== expected) throw cannotTrust(path, 'it does not have the checksum beside it');
  return sha256;
}

export function cannotTrust(path: string, reason: string, cause?: unknown): Failure {
  const advice = 'Do not restore from it: use an older backup';
  return new Failure(`Cannot trust the backup "${path}": ${reason}`, { advice, cause });
}

/** `pre-migrate-<from>-<to>-<time>.dump` (or .rdb), as the backup of the files is named. */
export function dumpFile(
  folder: string,
  from: string | undefined,
  to: string,
  at: Date,
  kind: 'dump' | 'rdb',
): string {
  const time = at.toISOString().replace(/[-:]/g, '').replace(/\.\d+/, '');
  return join(folder, `pre-migrate-${safe(from ?? 'unknown')}-${safe(to)}-${time}.${kind}`);
}

function readChecksum(path: string): string {
  const file = checksumFileOf(path);
  let line: string;
  try {
    line = readFileSync(file, 'utf8');
  } catch (error) {
    throw cannotTrust(path, isMissing(error) ? 'it has no checksum beside it' : reasonOf(error), error);
  }
  const [, checksum, name] = /^([0-9a-f]{64}) [ *](.+)\n?$/.exec(line) ?? [];
  if (checksum === undefined) throw cannotTrust(path, `"${file}" holds no checksum`);
  if (name !== basename(path)) throw cannotTrust(path, `the checksum beside it is that of "${name}"`);
  return checksum;
}

async function hashFile(path: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 256 * 1024, signal })) hash.update(chunk);
  return hash.digest('hex');
}

/** A version comes from a bundle: nothing of it may become a path. */
function safe(version: string): string {
  return version.replace(/[^\w.+-]/g, '_').slice(0, 64);
}
