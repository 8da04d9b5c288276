import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { chmodSync, mkdirSync, statSync } from 'node:fs';
import { HttpRefusal } from '../../shared/api/problem.ts';
import { ensureToken, readToken, requireToken } from '../../shared/api/token.ts';
import { failureOf } from '../support/failure-of.ts';
import { TempFolder } from '../support/temp-folder.ts';

let folder: TempFolder;
let path: string;
beforeEach(() => {
  folder = new TempFolder();
  path = folder.at('update/api.token');
});
afterEach(() => folder[Symbol.dispose]());

describe('ensureToken()', () => {
  test('makes one that only its owner reads, and no second one', () => {
    expect(ensureToken(path)).toBe(true);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const token = readToken(path);
    expect(token).toMatch(/^[\w-]{43}$/);
    expect(ensureToken(path)).toBe(false);
    expect(readToken(path)).toBe(token);
  });

  test('makes another one on every device', () => {
    ensureToken(path);
    ensureToken(folder.at('second'));
    expect(readToken(path)).not.toBe(readToken(folder.at('second')));
  });
});

describe('readToken()', () => {
  test.each([0o600, 0o400, 0o640, 0o440])('takes a file of mode %o', (mode) => {
    folder.write('update/api.token', 'a-token-of-the-operator\n', mode);
    expect(readToken(path)).toBe('a-token-of-the-operator');
  });

  test.each([0o644, 0o604, 0o660, 0o602, 0o601, 0o666])('refuses a file of mode %o', async (mode) => {
    folder.write('update/api.token', 'a-token-of-the-operator\n', mode);
    const failure = await failureOf(() => readToken(path));
    expect(failure.message).toBe(`Cannot use the token "${path}": others may read or change it`);
    expect(failure.advice).toBe(`chmod 600 ${path}`);
    expect(await failureOf(() => ensureToken(path))).toEqual(failure);
  });

  test.each(['', '\n', 'short', 'fifteen-letters', 'two words that are long'])(
    'refuses %j, which says too little',
    async (content) => {
      folder.write('update/api.token', content, 0o600);
      expect((await failureOf(() => readToken(path))).message).toContain(
        'expected one word of 16 characters',
      );
    },
  );

  test('says why it cannot read it', async () => {
    mkdirSync(path, { recursive: true });
    expect((await failureOf(() => readToken(path))).message).toBe(
      `Cannot read the token "${path}": it is a folder`,
    );
  });
});

describe('requireToken()', () => {
  function refusalFor(authorization?: string): HttpRefusal | undefined {
    try {
      requireToken(new Headers(authorization === undefined ? {} : { authorization }), path);
      return undefined;
    } catch (error) {
      if (error instanceof HttpRefusal) return error;
      throw error;
    }
  }

  const token = 'a-token-of-the-operator';
  beforeEach(() => folder.write('update/api.token', `${token}\n`, 0o600));

  test.each([`Bearer ${token}`, `bearer ${token}`, `BEARER   ${token}`])('lets in %j', (given) => {
    expect(refusalFor(given)).toBeUndefined();
  });

  test.each([
    undefined,
    '',
    'Bearer',
    token,
    `Basic ${token}`,
    `Bearer ${token}x`,
    `Bearer ${token.slice(1)}`,
    `Bearer ${token.toUpperCase()}`,
    `Bearer ${token} ${token}`,
    `Bearer x, Bearer ${token}`,
  ])('refuses %j with 401, and says which scheme', (given) => {
    const refusal = refusalFor(given);
    expect(refusal?.status).toBe(401);
    expect(refusal?.headers['WWW-Authenticate']).toStartWith('Bearer realm="homie-update"');
    expect(refusal?.message).not.toContain(token);
  });

  test('takes a new token without a restart', () => {
    folder.write('update/api.token', 'another-token-altogether', 0o600);
    expect(refusalFor(`Bearer ${token}`)?.status).toBe(401);
    expect(refusalFor('Bearer another-token-altogether')).toBeUndefined();
  });

  test('refuses every request while other users can read the file', () => {
    chmodSync(path, 0o644);
    expect(refusalFor(`Bearer ${token}`)?.status).toBe(503);
  });
});
