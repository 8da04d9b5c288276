import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { mkdirSync } from 'node:fs';
import { nameOf, parseSource, type Source } from '../../../shared/transfer/source/source.ts';
import { failureOf } from '../../support/failure-of.ts';
import { TempFolder } from '../../support/temp-folder.ts';

let folder: TempFolder;
beforeEach(() => {
  folder = new TempFolder();
});
afterEach(() => folder[Symbol.dispose]());

describe('parseSource()', () => {
  test.each<[string, Source]>([
    ['-', { kind: 'stdin' }],
    ['/dev/stdin', { kind: 'stdin' }],
    [
      'http://updates.homie.local/latest.raucb',
      { kind: 'url', url: 'http://updates.homie.local/latest.raucb' },
    ],
    [
      'HTTPS://Updates.Example:8443/a b?c=d#e',
      { kind: 'url', url: 'https://updates.example:8443/a%20b?c=d' },
    ],
  ])('reads %s', (text, source) => {
    expect(parseSource(text)).toEqual(source);
  });

  test('finds a file by its path, by a file: URL, and alone in a folder, hidden ones aside', () => {
    const path = folder.write('my stick/a b.raucb', 'x');
    folder.write('my stick/._a b.raucb', 'x');
    folder.write('my stick/notes.txt', 'x');
    for (const text of [
      path,
      `file://${path.replaceAll(' ', '%20')}`,
      folder.at('my stick'),
      `${folder.at('my stick')}/`,
    ])
      expect(parseSource(text)).toEqual({ kind: 'file', path });
  });

  test.each([
    ['/nowhere/x.raucb', 'no such file or folder'],
    ['instal', 'no such file or folder'],
    ['/dev/null', 'it is not a file'],
    ['ftp://updates.example/x', 'a URL begins with https:, http: or file:, not with ftp:'],
    ['http://', 'it is not a URL'],
    ['file://elsewhere/x.raucb', 'a file: URL is of this machine, like file:///media/stick/update.raucb'],
  ])('refuses %s in one line, as a usage error', async (text, reason) => {
    const failure = await failureOf(() => parseSource(text));
    expect(failure.message).toBe(`Cannot use "${text}": ${reason}`);
    expect(failure.outcome).toBe('usage');
  });

  test('refuses a folder with no bundle, or with several, which it names', async () => {
    mkdirSync(folder.at('stick'));
    expect((await failureOf(() => parseSource(folder.at('stick')))).message).toEndWith(
      'there is no .raucb in this folder',
    );
    folder.write('stick/b.raucb', '');
    folder.write('stick/a.raucb', '');
    expect((await failureOf(() => parseSource(folder.at('stick')))).message).toEndWith(
      'there are several: a.raucb, b.raucb; name one of them',
    );
  });

  test.each(['https://me:hunter2@updates.example/x', 'https://hunter2@updates.example/x'])(
    'refuses a URL with a user or password, and does not repeat it: %#',
    async (text) => {
      const failure = await failureOf(() => parseSource(text));
      expect(failure.message).toBe(
        'Cannot use "https://***@updates.example/x": it has a user or password in it',
      );
    },
  );
});

describe('nameOf()', () => {
  test('has nothing secret in it', () => {
    expect(nameOf({ kind: 'url', url: 'https://u.example/x?token=hunter2' })).toBe(
      'https://u.example/x?token=***',
    );
    expect(nameOf({ kind: 'stdin' })).toBe('stdin');
    expect(nameOf({ kind: 'file', path: '/x' })).toBe('/x');
  });
});
