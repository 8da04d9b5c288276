import { chmodSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { thisArchitecture } from '../../../support/build/this-architecture.ts';
import { goodManifest, type TestFolder } from '../bundle-folder.ts';
import { append, edit, hook, type LintCase, manifest, on, within } from './lint-case.ts';

const filename = on(`filename=${hook}`);
const bundleHooks = on('hooks=install-check');
const imageHooks = on('hooks=pre-install;post-install');
const x64 = { architecture: 'x64' } as const;

const program = (content: string | Uint8Array) => (folder: TestFolder) => folder.write(hook, content, 0o755);
/** e_machine of elf(5). */
const machines = { x64: 62, arm64: 183 } as const;

/** A program of this machine, whose header says another machine perhaps. */
const builtFor = (machine: number) => (folder: TestFolder) => {
  const content = readFileSync('/bin/true');
  content.writeUInt16LE(machine, 18);
  program(content)(folder);
};
const link = (target: string) => (folder: TestFolder) => {
  rmSync(within(folder, hook));
  symlinkSync(target, within(folder, hook));
};
const [glibcLoader, muslLoader] =
  thisArchitecture === 'x64'
    ? ['/lib64/ld-linux-x86-64.so.2', '/lib64/ld-musl-x86_64.so.1\0']
    : ['/lib/ld-linux-aarch64.so.1', '/lib/ld-musl-aarch64.so.1\0'];
const forMusl = () =>
  Buffer.from(readFileSync('/bin/true', 'latin1').replace(glibcLoader, muslLoader), 'latin1');

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
  ['an x64 program for arm64', 'program-architecture', `error ${hook}`, builtFor(machines.x64)],
  ['an arm64 program for x64', 'program-architecture', `error ${hook}`, builtFor(machines.arm64), x64],
  ['a newer glibc', 'program-glibc', `error ${hook}`, builtFor(machines.x64), x64],
  [
    'the loader of musl',
    'program-loader',
    `error ${hook}`,
    (folder) => program(forMusl())(folder),
    { architecture: thisArchitecture, glibcMax: '2.99' },
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
    'a handler without slot hooks',
    'handler-replaces-hooks',
    `warning ${on('hooks=install-check', 2)}`,
    (folder) =>
      folder.write(
        manifest,
        `${goodManifest.replace('hooks=pre-install;post-install', '#')}[handler]\nfilename=${hook}\n`,
      ),
  ],
  [
    'no hook at all',
    'hooks-none',
    `warning ${manifest}`,
    (folder) =>
      folder.write(
        manifest,
        goodManifest.replace('hooks=pre-install;post-install', '#').replace(/\[hooks\][\s\S]*/, ''),
      ),
  ],
  [
    'a [hooks] group without a key',
    'hooks-none',
    `warning ${manifest}`,
    (folder) =>
      folder.write(
        manifest,
        goodManifest.replace('hooks=pre-install;post-install', '#').replace(/\[hooks\][\s\S]*/, '[hooks]\n'),
      ),
  ],
  [
    'a handler beside slot hooks',
    'handler-replaces-hooks',
    `warning ${imageHooks}`,
    append(`[handler]\nfilename=${hook}`),
  ],
  [
    'a handler that is not there',
    'program-missing handler-replaces-hooks',
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
