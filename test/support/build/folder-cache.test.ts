import { expect, test } from 'bun:test';
import { existsSync, mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startProgram } from '../run-program.ts';
import { TempFolder } from '../temp-folder.ts';
import { cachedFolder } from './folder-cache.ts';

const program = join(import.meta.dir, '../programs/make-folder.ts');

test('cachedFolder() makes a folder once when several processes ask for it at once', async () => {
  using temp = new TempFolder();
  const makers = [1, 2, 3].map(() => startProgram(program, [temp.at('cache'), temp.at('made')]));
  const ended = await Promise.all(makers.map((maker) => maker.ended()));
  const folder = temp.at('cache', 'digest', 'name');
  expect(ended.map(({ stdout }) => stdout)).toEqual([1, 2, 3].map(() => `${folder}\n`));
  expect(readFileSync(temp.at('made'), 'utf8')).toBe('made\n');
  expect(readdirSync(folder)).toEqual(['content']);
});

test('cachedFolder() leaves nothing that seems whole when it fails, and makes it the next time', async () => {
  using temp = new TempFolder();
  const wanted = { cache: temp.at('cache'), digest: 'digest', name: 'name' };
  const fail = (folder: string): Promise<never> => {
    mkdirSync(folder);
    return Promise.reject(new Error('out of space'));
  };
  await expect(cachedFolder({ ...wanted, make: fail })).rejects.toThrow('out of space');
  const make = async (folder: string): Promise<void> => writeFileSync(join(folder, 'content'), '');
  expect(readdirSync(await cachedFolder({ ...wanted, make }))).toEqual(['content']);
});

test('cachedFolder() drops all but the newest four, and none that a living process has asked for', async () => {
  using temp = new TempFolder();
  const make = async (folder: string): Promise<void> => mkdirSync(folder);
  const want = (digest: string) => cachedFolder({ cache: temp.at('cache'), digest, name: 'name', make });
  for (const digest of ['a', 'b', 'c', 'd', 'e', 'f']) {
    await want(digest);
    const old = new Date(2026, 0, digest.charCodeAt(0) - 90);
    utimesSync(temp.at('cache', digest), old, old);
  }
  expect(readdirSync(temp.at('cache')).sort()).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
  for (const digest of ['a', 'c', 'd']) {
    temp.remove(`cache/${digest}/users/${process.pid}`);
    temp.write(`cache/${digest}/users/${2 ** 30}`, '');
    const old = new Date(2026, 0, digest.charCodeAt(0) - 90);
    utimesSync(temp.at('cache', digest), old, old);
  }
  await want('g');
  // By age: g f e d, then c b a, of which b is in use.
  expect(readdirSync(temp.at('cache')).sort()).toEqual(['b', 'd', 'e', 'f', 'g']);
  expect(existsSync(temp.at('cache', 'b', 'name'))).toBe(true);
});
