import { chmodSync, copyFileSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { goodManifest, type TestFolder } from '../bundle-folder.ts';
import { append, edit, hook, type LintCase, manifest, on, within } from './lint-case.ts';

const filename = on(`filename=${hook}`);
const bundleHooks = on('hooks=install-check');
const imageHooks = on('hooks=pre-install;post-install');
const x64 = { architecture: 'x64' } as const;

const program = (content: string | Uint8Array) => (folder: TestFolder) => folder.write(hook, content, 0o755);
const copyOf = (from: string) => (folder: TestFolder) => {
  copyFileSync(from, within(folder, hook));
  chmodSync(within(folder, hook), 0o755);
};
const link = (target: string) => (folder: TestFolder) => {
  rmSync(within(folder, hook));
  symlinkSync(target, within(folder, hook));
};
const forMusl = () =>
  Buffer.from(
    readFileSync('/bin/true', 'latin1').replace('/lib64/ld-linux-x86-64.so.2', '/lib64/ld-musl-x86_64.so.1'),
    'latin1',
  );

export const hookCases: readonly LintCase[] = [
  ['no such program', 'program-missing', `error ${filename}`, edit(hook, 'update-hooks/hok')],
  ['a folder as the program', 'program-not-a-file', `error ${filename}`, edit(hook, 'update-hooks')],
  ['a program above the bundle', 'program-outside-bundle', `error ${filename}`, edit(hook, '../hook')],
  ['a program of the host', 'program-outside-bundle', `error ${filename}`, edit(hook, '/bin/true')],
  [
    'a link to a program of the host',
    'program-outside-bundle link-outside-bundle',
    `error ${filename}`,
    link('../../bin/true'),
  ],
  ['a link in a circle', 'program-missing', `error ${filename}`, link('hook')],
  [
    'a program that may not be executed',
    'program-not-executable',
    `error ${hook}`,
    (folder) => chmodSync(within(folder, hook), 0o644),
  ],
  ['an empty program', 'program-format', `error ${hook}`, program('')],
  ['a program of bytes', 'program-format', `error ${hook}`, program(Buffer.alloc(64))],
  ['a script without #!', 'program-format', `warning ${hook}`, program('exit 0\n')],
  ['a script with CR LF', 'program-format', `error ${hook}`, program('#!/bin/sh\r\nexit 0\r\n')],
  ['an interpreter without its path', 'program-format', `error ${hook}`, program('#!sh\n')],
  ['an x64 program for arm64', 'program-architecture', `error ${hook}`, copyOf('/bin/true')],
  [
    'an arm64 program for x64',
    'program-architecture',
    `error ${hook}`,
    copyOf('/usr/aarch64-linux-gnu/lib/libc.so.6'),
    x64,
  ],
  ['a newer glibc', 'program-glibc', `error ${hook}`, copyOf('/bin/true'), x64],
  [
    'the loader of musl',
    'program-loader',
    `error ${hook}`,
    (folder) => program(forMusl())(folder),
    { ...x64, glibcMax: '2.36' },
  ],
  [
    'a program and no hooks=',
    'hooks-unnamed',
    `error ${filename}`,
    (folder) => folder.write(manifest, goodManifest.replace(/^hooks=.*$/gm, '#')),
  ],
  ['hooks= and no program', 'hooks-without-program', `error ${bundleHooks}`, edit(`filename=${hook}`, '#')],
  [
    'a hook after activation',
    'hook-unknown',
    `error ${imageHooks}`,
    edit(';post-', ';slot-post-activate;post-'),
  ],
  ['hooks with commas', 'hook-unknown', `error ${imageHooks}`, edit(';post', ',post')],
  [
    'an image hook for the bundle',
    'hook-unknown',
    `error ${bundleHooks}`,
    edit('=install-check', '=pre-install'),
  ],
  [
    'install beside post-install',
    'hook-silenced hook-unhandled',
    `error ${imageHooks}`,
    edit('pre-install;', 'install;'),
  ],
  [
    'a script for a call that never comes',
    'hook-never-called',
    'warning update-hooks/late',
    (folder) =>
      folder.write('update-hooks/late', '#!/bin/sh\ncase "$1" in slot-post-activate) ;; esac\n', 0o755),
  ],
  [
    'a call that the script does not know',
    'hook-unhandled',
    `warning ${hook}`,
    program('#!/bin/sh\ncase $1 in\n(install-check)\n;; slot-pre-install)\n;; esac\n'),
  ],
  [
    'a handler beside slot hooks',
    'handler-replaces-hooks',
    `warning ${imageHooks}`,
    append(`[handler]\nfilename=${hook}`),
  ],
  [
    'a handler that is not there',
    'program-missing',
    `error ${on('hooks=install-check', 2)}`,
    (folder) =>
      folder.write(
        manifest,
        `${goodManifest.replace('hooks=pre-install;post-install', '#')}[handler]\nfilename=handle\n`,
      ),
  ],
];

export const silentHookCases: readonly (readonly [string, (folder: TestFolder) => unknown])[] = [
  [
    'a script with a branch for everything',
    program('#!/bin/sh\ncase $1 in slot-*) ;; install-check) ;; esac\n'),
  ],
  ['a script without a case', program('#!/bin/sh -e\n[ "$1" = install-check ] && exit 0\n')],
  [
    'a link within the bundle',
    (folder) => {
      folder.write('update-hooks/all', '#!/bin/sh\n', 0o755);
      link('all')(folder);
    },
  ],
];
