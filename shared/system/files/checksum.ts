import { createHash } from 'node:crypto';
import { createReadStream, existsSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { Failure, isMissing, reasonOf } from '../failure.ts';
import { removeDurably, renameDurably, writeDurably } from './durable-file.ts';

/** Each backup has its checksum beside it, in the form of sha256sum(1), so that every visible backup can be checked. */

export function checksumFileOf(backup: string): string {
  return `${backup}.sha256`;
}

/**
 * Makes a finished part visible; its checksum comes first, so that a visible file has one even after a power cut. An
 * older target is removed before.
 */
export function publish(part: string, target: string, sha256: string): void {
  if (existsSync(target)) removeDurably(target);
  writeDurably(checksumFileOf(target), `${sha256}  ${basename(target)}\n`, 0o600);
  renameDurably(part, target);
}

/** Throws a Failure unless the file has the checksum beside it. Returns the checksum. */
export async function checkSaved(path: string, signal?: AbortSignal): Promise<string> {
  const expected = readChecksum(path);
  let sha256: string;
  try {
    sha256 = await hashFile(path, signal);
  } catch (error) {
    throw cannotTrust(path, signal?.aborted ? 'the program was stopped' : reasonOf(error), error);
  }
  requireChecksum(path, sha256, expected);
  return sha256;
}

/** Throws a Failure unless the file's checksum is the expected one. */
export function requireChecksum(path: string, sha256: string, expected: string): void {
  if (sha256 !== expected) throw cannotTrust(path, 'it does not have the checksum beside it');
}

export async function hashFile(path: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 256 * 1024, signal })) hash.update(chunk);
  return hash.digest('hex');
}

export function cannotTrust(path: string, reason: string, cause?: unknown): Failure {
  const advice = 'Do not restore from it: use an older backup';
  return new Failure(`Cannot trust the backup "${path}": ${reason}`, { advice, cause });
}

/** Reads the checksum beside the file. Throws a Failure if there is none, or if it is that of another file. */
export function readChecksum(path: string): string {
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
