import { describe, expect, test } from 'bun:test';
import { copyFileSync, existsSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { readElf } from '../../../shared/packaging/format/elf.ts';
import { command } from '../../../shared/system/process/command.ts';
import { thisArchitecture } from '../../support/build/this-architecture.ts';
import { TestFolder } from '../lint/bundle-folder.ts';

const loaders = { x64: '/lib64/ld-linux-x86-64.so.2', arm64: '/lib/ld-linux-aarch64.so.1' } as const;
const cross = '/usr/aarch64-linux-gnu/lib';
const all = [
  ['/bin/true', thisArchitecture, loaders[thisArchitecture]],
  [process.execPath, thisArchitecture, loaders[thisArchitecture]],
  ['/usr/bin/qemu-aarch64-static', thisArchitecture, undefined],
  [`${cross}/libc.so.6`, 'arm64', loaders.arm64],
  [`${cross}/libm.so.6`, 'arm64', undefined],
] as const;
/** A board's machine has no emulator, and needs no libraries of another. */
const programs = all.filter(([path]) => existsSync(path));

describe('readElf()', () => {
  test.each(programs)('reads %s when it is built for %s', async (path, architecture, loader) => {
    expect(readElf(path)).toMatchObject({ architecture, loader, glibc: await glibcByReadelf(path) });
  });

  test('answers nothing when the file is no ELF or shorter than its mark', () => {
    using folder = new TestFolder();
    expect(readElf(folder.write('script', '#!/bin/sh\n'))).toBeUndefined();
    expect(readElf(folder.write('empty', ''))).toBeUndefined();
  });

  test('refuses with one line when the file is truncated, at any byte', () => {
    using folder = new TestFolder();
    const path = join(folder.path, 'cut');
    for (const bytes of [4, 17, 40, 70, 400]) {
      copyFileSync('/bin/true', path);
      truncateSync(path, bytes);
      expect(() => readElf(path)).toThrow(
        `Cannot read the program "${path}": its ELF headers point outside of it`,
      );
    }
  });

  test('names the machine when it is one of 32 bits', () => {
    using folder = new TestFolder();
    const header = Buffer.alloc(64);
    header.write('\x7fELF\x01\x01\x01', 'latin1');
    header.writeUInt16LE(40, 18);
    expect(readElf(folder.write('arm', header))).toMatchObject({ architecture: 'other', machine: 40 });
  });
});

/** The newest version that binutils finds. */
async function glibcByReadelf(path: string): Promise<string | undefined> {
  const { stdout } = await command({ deadlineMs: 30_000 })`readelf -W -V ${path}`;
  const needs = stdout.slice(stdout.indexOf("Version needs section '"));
  const versions = stdout.includes("Version needs section '")
    ? [...needs.matchAll(/Name: GLIBC_(\d[\d.]*|ABI_DT_RELR)/g)].map(([, version = '']) =>
        // Packed relocations, which glibc 2.36 introduced, are a version without a number.
        version.replace('ABI_DT_RELR', '2.36'),
      )
    : [];
  return versions.toSorted((left, right) => left.localeCompare(right, 'en', { numeric: true })).at(-1);
}
