import { describe, expect, test } from 'bun:test';
import { mkdirSync, symlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { Failure } from '../../../shared/system/failure.ts';
import { pathInRoot } from '../../../shared/system/files/rooted-path.ts';
import { TempFolder } from '../../support/temp-folder.ts';

/** A root whose links are these, with a real file at /usr/lib/file. */
function rootWith(links: Record<string, string>): TempFolder {
  const folder = new TempFolder();
  folder.write('usr/lib/file', '');
  for (const [path, target] of Object.entries(links)) {
    mkdirSync(dirname(folder.at(path)), { recursive: true });
    symlinkSync(target, folder.at(path));
  }
  return folder;
}

describe('pathInRoot()', () => {
  test.each([
    ['is the root', {}, '/', ''],
    ['has no link', {}, '/usr/lib/file', '/usr/lib/file'],
    ['has no slash at its start', {}, 'usr/lib', '/usr/lib'],
    ['has dots and empty parts', {}, '//usr/./lib/../lib//file/', '/usr/lib/file'],
    ['is not there', {}, '/not/yet/there', '/not/yet/there'],
    ['continues below a file', {}, '/usr/lib/file/below', '/usr/lib/file/below'],
    ['climbs out', {}, '/../../../etc/passwd', '/etc/passwd'],
    ['climbs out of what is not there', {}, '/not/there/../../../../etc', '/etc'],
    ['has a relative link', { lib: 'usr/lib' }, '/lib/file', '/usr/lib/file'],
    ['has an absolute link', { lib: '/usr/lib' }, '/lib/file', '/usr/lib/file'],
    ['ends in an absolute link', { 'etc/mtab': '/proc/self/mounts' }, '/etc/mtab', '/proc/self/mounts'],
    ['has a link out by dots', { 'etc/out': '../../../../usr' }, '/etc/out/lib', '/usr/lib'],
    ['has a link to a link', { a: '/b', b: 'usr' }, '/a/lib/file', '/usr/lib/file'],
    ['has a link in the middle of a link', { a: '/b/lib', b: '/usr' }, '/a/file', '/usr/lib/file'],
    ['has dots behind a link', { a: '/usr/lib' }, '/a/../x', '/usr/x'],
    ['has a link whose target is missing', { a: '/gone/for/good' }, '/a/x', '/gone/for/good/x'],
    ['has a link to the root', { a: '/' }, '/a/a/usr', '/usr'],
  ])('stays in the root when the path %s', (_what, links, path, expected) => {
    using root = rootWith(links);
    expect(pathInRoot(root.path, path)).toBe(
      `${root.path}${expected || '/'}`.replace(/\/$/, expected ? '/' : '/'),
    );
  });

  test.each([
    ['a link leads to itself', { a: 'a' }],
    ['two links lead to each other', { a: '/b', b: 'a' }],
    ['a link grows', { a: 'a/a' }],
  ])('fails when %s', (_what, links) => {
    using root = rootWith(links);

    expect(() => pathInRoot(root.path, '/a/x')).toThrow(Failure);
    expect(() => pathInRoot(root.path, '/a/x')).toThrow(
      `Cannot follow "/a/x" in "${root.path}": too many symbolic links`,
    );
  });

  test('follows a chain of as many links as the kernel would', () => {
    const links = Object.fromEntries(
      Array.from({ length: 40 }, (_, i) => [`l${i}`, i === 0 ? 'usr' : `/l${i - 1}`]),
    );
    using root = rootWith(links);
    expect(pathInRoot(root.path, '/l39/lib')).toBe(root.at('usr/lib'));
  });
});
