import { rmSync, symlinkSync, truncateSync } from 'node:fs';
import { command } from '../../../../shared/system/process/command.ts';
import { goodManifest, makeExt4, type TestFolder } from '../bundle-folder.ts';
import { append, edit, hook, type LintCase, manifest, on, wholeBundle, within } from './lint-case.ts';

const image = 'rootfs.ext4';
const filename = on(`filename=${image}`);
const insteadOfImage = (name: string, content: string) => (folder: TestFolder) => {
  folder.write(name, content);
  return edit(image, name.startsWith('root.tar/') ? 'root.tar' : name)(folder);
};
const write = (name: string, content: string) => (folder: TestFolder) => folder.write(name, content);
const link = (name: string, target: string) => (folder: TestFolder) => {
  rmSync(within(folder, name), { force: true });
  symlinkSync(target, within(folder, name));
};
const tinyVerity = (folder: TestFolder) => {
  rmSync(within(folder, image));
  folder.write('r.tar', 'x');
  folder.write(manifest, goodManifest.replace('=plain', '=verity').replace(image, 'r.tar'));
};
const privateKey = `x\n-----BEGIN RSA PRIVATE ${'KEY'}-----\n`;

export const payloadCases: readonly LintCase[] = [
  [
    'no image',
    'images-none',
    `error ${manifest}`,
    (folder) => folder.write(manifest, goodManifest.replace(/\[image[^[]*/, '')),
  ],
  ['no such image', 'image-missing', `error ${filename}`, edit(image, 'root.ext4')],
  [
    'an image without a name',
    'image-missing',
    `error ${on('[image.rootfs]')}`,
    edit(`filename=${image}\n`, ''),
  ],
  ['an image in a folder', 'image-path', `error ${filename}`, insteadOfImage('images/r.tar.gz', 'x')],
  [
    'an image of the host',
    'image-outside-bundle link-outside-bundle',
    `error ${filename}`,
    link(image, '/r.ext4'),
  ],
  [
    'a folder as the image',
    'image-not-a-file',
    `error ${filename}`,
    insteadOfImage('root.tar/etc/hostname', 'x'),
  ],
  ['an empty image', 'image-empty', `error ${image}`, (folder) => truncateSync(within(folder, image), 0)],
  [
    'a casync index of an image',
    'image-casync',
    `error ${filename}`,
    insteadOfImage('rootfs.ext4.caibx', 'x'),
  ],
  ['a casync index of a tree', 'image-casync', `error ${filename}`, insteadOfImage('rootfs.caidx', 'x')],
  ['an archive of casync', 'image-casync', `warning ${filename}`, insteadOfImage('rootfs.catar', 'x')],
  ['an unknown kind of image', 'image-extension', `error ${filename}`, insteadOfImage('rootfs.zip', 'x')],
  ['a .tgz for RAUC 1.8', 'image-extension', `error ${filename}`, insteadOfImage('rootfs.tgz', 'x')],
  ['an ext4 image for vfat', 'image-extension', `error ${filename}`, () => {}, { slotType: 'vfat' }],
  ['no ext4 in an .ext4', 'image-content', `error ${image}`, write(image, 'x'.repeat(4096))],
  [
    'an ext4 that Linux 4.9 cannot mount',
    'image-features',
    `error ${image}`,
    (folder) => makeExt4(within(folder, image), '^orphan_file,ea_inode'),
  ],
  [
    'an ext4 that old tools refuse',
    'image-features',
    `warning ${image}`,
    (folder) => makeExt4(within(folder, image), 'orphan_file'),
  ],
  ['a link to a file of the host', 'link-outside-bundle', 'error name', link('name', '/etc/hostname')],
  [
    'a link above the bundle',
    'link-outside-bundle',
    'error update-hooks/up',
    link('update-hooks/up', '../../x'),
  ],
  ['a link into another folder', 'link-with-slash', 'warning hook', link('hook', hook)],
  [
    'a pipe',
    'special-file',
    'error pipe',
    (folder) => command({ deadlineMs: 10_000 })`mkfifo ${within(folder, 'pipe')}`,
  ],
  ['a git folder', 'leftover', 'warning .git', write('.git/index~', 'x')],
  ['a hidden folder', 'leftover', 'warning .cache', write('.cache/x', 'x')],
  [
    'an index of an earlier build',
    'leftover',
    `warning ${image}.block-hash-index`,
    write(`${image}.block-hash-index`, 'x'),
  ],
  ['a private key', 'private-key', 'error update-hooks/ca.pem', write('update-hooks/ca.pem', privateKey)],
  [
    'more than 2 GiB in a plain bundle',
    'plain-too-large',
    `warning ${wholeBundle}`,
    (folder) => truncateSync(within(folder, image), 2 ** 31),
  ],
  ['next to nothing in a verity bundle', 'verity-too-small', `warning ${wholeBundle}`, tinyVerity],
  ['zstd for Linux 4.9', 'compressor', `error ${wholeBundle}`, () => {}, { compression: 'zstd' }],
];

export const silentPayloadCases: readonly (readonly [string, (folder: TestFolder) => unknown])[] = [
  ['an archive', insteadOfImage('rootfs.tar.xz', 'x')],
  [
    'an .img of an ext4',
    (folder) => {
      edit(image, 'rootfs.img')(folder);
      return makeExt4(within(folder, 'rootfs.img'));
    },
  ],
  ['a second image for a variant', append('[image.rootfs.board-b]\nfilename=rootfs.ext4')],
  [
    'an image that a hook writes',
    (folder) => {
      folder.write(hook, '#!/bin/sh\n', 0o755);
      folder.write('firmware.bin', 'x');
      return append('[image.firmware]\nfilename=firmware.bin\nhooks=install\n[image.none]\nhooks=install;')(
        folder,
      );
    },
  ],
  ['a link beside its file', link('update-hooks/pre-install', 'hook')],
];
