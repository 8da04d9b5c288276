import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdirSync, realpathSync, symlinkSync } from 'node:fs';
import { HttpRefusal } from '../../shared/api/problem.ts';
import { readRollback, readSource } from '../../shared/api/source.ts';
import { TempFolder } from '../support/temp-folder.ts';

let folder: TempFolder;
let bundles: string;
beforeAll(() => {
  folder = new TempFolder();
  bundles = folder.at('bundles');
  folder.write('bundles/new.raucb', '');
  folder.write('bundles/usb/deep.raucb', '');
  folder.write('bundles/notes.txt', '');
  folder.write('secret.raucb', '');
  folder.write('bundles-of-others/other.raucb', '');
  mkdirSync(folder.at('bundles/folder.raucb'));
  symlinkSync('new.raucb', folder.at('bundles/latest.raucb'));
  symlinkSync('../secret.raucb', folder.at('bundles/out.raucb'));
  symlinkSync('/', folder.at('bundles/root'));
  symlinkSync('loop.raucb', folder.at('bundles/loop.raucb'));
  symlinkSync('nowhere', folder.at('bundles/dangling.raucb'));
});
afterAll(() => folder[Symbol.dispose]());

function statusFor(work: () => unknown): number {
  try {
    work();
    return 200;
  } catch (error) {
    if (error instanceof HttpRefusal) return error.status;
    throw error;
  }
}

describe('readSource()', () => {
  test.each([
    ['new.raucb', 'bundles/new.raucb'],
    ['./usb/../new.raucb', 'bundles/new.raucb'],
    ['usb/deep.raucb', 'bundles/usb/deep.raucb'],
    ['latest.raucb', 'bundles/new.raucb'],
  ])('finds %s, as the file that it is', (path, found) => {
    expect(readSource({ path }, bundles)).toBe(realpathSync(folder.at(found)));
    expect(readSource({ path: `${bundles}/${path}` }, bundles)).toBe(realpathSync(folder.at(found)));
  });

  test.each([
    ['what is not there', 'other.raucb'],
    ['a link out of it', 'out.raucb'],
    ['a link out of it on the way', 'root/etc/passwd'],
    ['a link to nothing', 'dangling.raucb'],
    ['a link to itself', 'loop.raucb'],
    ['the way up', '../secret.raucb'],
    ['the way up from below', 'usb/../../secret.raucb'],
    ['a folder of a longer name', '../bundles-of-others/other.raucb'],
    ['another file of the system', '/etc/passwd'],
    ['a folder', 'folder.raucb'],
    ['the folder itself', '.'],
    ['what is no bundle', 'notes.txt'],
    ['a name that is too long for a file', `${'x'.repeat(1_000)}.raucb`],
    ['an option', '--force'],
  ])('answers one 404 for %s', (_what, path) => {
    expect(statusFor(() => readSource({ path }, bundles))).toBe(404);
  });

  test('answers the same where the folder is not there', () => {
    expect(statusFor(() => readSource({ path: 'new.raucb' }, folder.at('no-folder')))).toBe(404);
  });

  test.each([
    ['https://updates.example.org/a.raucb', 'https://updates.example.org/a.raucb'],
    ['HTTP://Updates.Homie.local/latest.raucb', 'http://updates.homie.local/latest.raucb'],
    ["https://x/a'$(reboot).raucb", "https://x/a'$(reboot).raucb"],
    ['https://x/a b', 'https://x/a%20b'],
  ])('takes the URL %s', (url, taken) => {
    expect(readSource({ url }, bundles)).toBe(taken);
  });

  test.each([
    'file:///etc/passwd',
    'ftp://x/a',
    'javascript:alert(1)',
    '/etc/passwd',
    'updates.example.org/a.raucb',
    '--force',
    'http://',
    'https://user:password@x/a',
    'https://user@x/a',
    'https://x/\u0000',
    'https://x/\na',
    `https://x/${'a'.repeat(2_048)}`,
    '',
    '\ud800',
  ])('refuses the URL %j', (url) => {
    expect(statusFor(() => readSource({ url }, bundles))).toBe(400);
  });

  test.each([
    [undefined],
    [null],
    [{}],
    [[]],
    ['new.raucb'],
    [{ path: 5 }],
    [{ path: ['new.raucb'] }],
    [{ path: 'new.raucb', url: 'https://x' }],
    [{ path: 'new.raucb', force: true }],
    [{ path: 'new\u0000.raucb' }],
    [{ file: 'new.raucb' }],
  ])('refuses %j', (body) => {
    expect(statusFor(() => readSource(body, bundles))).toBe(400);
  });
});

describe('readRollback()', () => {
  test.each([
    [undefined, false],
    [{}, false],
    [{ yes: false }, false],
    [{ yes: true }, true],
  ])('takes %j', (body, isSure) => {
    expect(readRollback(body)).toBe(isSure);
  });

  test.each([[null], [[]], ['yes'], [{ yes: 'true' }], [{ yes: 1 }], [{ force: true }]])(
    'refuses %j',
    (body) => {
      expect(statusFor(() => readRollback(body))).toBe(400);
    },
  );
});
