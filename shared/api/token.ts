import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { Failure, isMissing, reasonOf } from '../system/failure.ts';
import { makeFolder, writeDurably } from '../system/files/durable-file.ts';
import { HttpRefusal } from './problem.ts';

/** The bearer token (RFC 6750) for every request that changes something. It is in a file, which is read each time. */

const leastCharacters = 16;
/** Others may not read it, and the group may not change it. */
const forbiddenMode = 0o027;

/** Creates a token where there is none; answers whether it did. Throws a Failure. */
export function ensureToken(path: string): boolean {
  try {
    readToken(path);
    return false;
  } catch (error) {
    if (!(error instanceof Failure) || !isMissing(error.cause)) throw error;
  }
  try {
    makeFolder(dirname(path));
    writeDurably(path, `${randomBytes(32).toString('base64url')}\n`, 0o600);
    return true;
  } catch (error) {
    throw new Failure(`Cannot write the token "${path}": ${reasonOf(error)}`, { cause: error });
  }
}

/** Throws a Failure where other users may read or change the file, or the token is easy to guess. */
export function readToken(path: string): string {
  const { text, mode } = readOpened(path);
  if ((mode & forbiddenMode) !== 0) {
    throw new Failure(`Cannot use the token "${path}": others may read or change it`, {
      advice: `chmod 600 ${path}`,
    });
  }
  const token = text.trim();
  if (token.length < leastCharacters || /\s/.test(token)) {
    const reason = `expected one word of ${leastCharacters} characters or more`;
    throw new Failure(`Cannot use the token "${path}": ${reason}`, {
      advice: 'Remove the file and start the service again: it makes one',
    });
  }
  return token;
}

/** Throws a Refusal where the request does not carry the token; the time that takes reveals nothing about the token. */
export function requireToken(headers: Headers, path: string): void {
  const given = /^bearer +(\S+) *$/i.exec(headers.get('authorization') ?? '')?.[1];
  if (given === undefined) {
    throw new HttpRefusal(401, 'This needs the token: "Authorization: Bearer …"', {
      'WWW-Authenticate': 'Bearer realm="homie-update"',
    });
  }
  if (!timingSafeEqual(digestOf(given), digestOf(tokenOrRefusal(path)))) {
    throw new HttpRefusal(401, 'The token is wrong', {
      'WWW-Authenticate': 'Bearer realm="homie-update", error="invalid_token"',
    });
  }
}

function tokenOrRefusal(path: string): string {
  try {
    return readToken(path);
  } catch (error) {
    throw new HttpRefusal(503, `Nothing can be changed: ${reasonOf(error)}`);
  }
}

/** A digest has the same length for every text, which timingSafeEqual needs. */
function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** Reads text and mode from the same open file, which cannot be exchanged in between. */
function readOpened(path: string): { text: string; mode: number } {
  try {
    const descriptor = openSync(path, 'r');
    try {
      return { text: readFileSync(descriptor, 'utf8'), mode: fstatSync(descriptor).mode };
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    throw new Failure(`Cannot read the token "${path}": ${reasonOf(error)}`, { cause: error });
  }
}
