import { describe, expect, test } from 'bun:test';
import { groupOf, listOf, parseKeyFile, valueIn } from '../../shared/rauc/key-file.ts';

describe('parseKeyFile()', () => {
  test('reads groups and entries, with their lines', () => {
    expect(
      parseKeyFile('# a comment\n[update]\ncompatible=x\n\n[image.rootfs]\nfilename = a b.ext4\n'),
    ).toEqual({
      groups: [
        { name: 'update', line: 2, entries: [{ key: 'compatible', value: 'x', line: 3 }] },
        { name: 'image.rootfs', line: 5, entries: [{ key: 'filename', value: 'a b.ext4', line: 6 }] },
      ],
      unreadable: [],
    });
  });

  test('keeps all of a value after the first equals sign', () => {
    const file = parseKeyFile('[bundle]\nargs=--root=/dev/x # not a comment\nempty=\n');
    expect(valueIn(file, 'bundle', 'args')).toBe('--root=/dev/x # not a comment');
    expect(valueIn(file, 'bundle', 'empty')).toBe('');
  });

  test('reads lines that end in carriage returns', () => {
    expect(valueIn(parseKeyFile('[update]\r\nversion=1.0.0\r\n'), 'update', 'version')).toBe('1.0.0');
  });

  test('continues a group that is there twice, whose last value counts', () => {
    const file = parseKeyFile('[a]\nx=1\n[b]\n[a]\nx=2\ny=3\n');
    expect(file.groups.map(({ name }) => name)).toEqual(['a', 'b']);
    expect(valueIn(file, 'a', 'x')).toBe('2');
    expect(groupOf(file, 'a')?.entries).toHaveLength(3);
  });

  test('lists the lines that it cannot read, and continues', () => {
    const file = parseKeyFile('early=1\n[a]\nx=1\nwhat is this\n[]\n[broken\n=2\ny=3\n');
    expect(file.unreadable).toEqual([
      { line: 1, text: 'early=1' },
      { line: 4, text: 'what is this' },
      { line: 5, text: '[]' },
      { line: 6, text: '[broken' },
      { line: 7, text: '=2' },
    ]);
    expect(valueIn(file, 'a', 'y')).toBe('3');
  });

  test('finds nothing when group or key is not there', () => {
    const file = parseKeyFile('[a]\nx=1\n');
    expect(valueIn(file, 'a', 'y')).toBeUndefined();
    expect(valueIn(file, 'b', 'x')).toBeUndefined();
    expect(parseKeyFile('')).toEqual({ groups: [], unreadable: [] });
  });
});

describe('listOf()', () => {
  test.each([
    ['pre-install;post-install', ['pre-install', 'post-install']],
    ['pre-install; post-install ;', ['pre-install', 'post-install']],
    ['install-check', ['install-check']],
    ['', []],
    [undefined, []],
  ])('of %p', (value, list) => {
    expect(listOf(value)).toEqual(list);
  });
});
