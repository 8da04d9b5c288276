import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { findKeys } from '../../../shared/packaging/pki/keys.ts';
import { command } from '../../../shared/system/process/command.ts';
import type { BoardImages } from '../board/board.ts';

export const guideBundle = 'guide.raucb';

/** The factory's root file system again, as the integration guide packs it. */
const manifest = `[update]
compatible=qemu-arm64-homie
version=1.1.0

[bundle]
format=plain

[hooks]
filename=hook

[image.rootfs]
filename=rootfs.ext4
hooks=pre-install
`;

const toolMs = 300_000;

/** The shelf, with the guide's bundle in place of one that it does without: a saved board knows the disk's size. */
export async function withGuideBundle(images: BoardImages, folder: string): Promise<BoardImages> {
  const lab = dirname(images.card);
  const keys = findKeys(join(lab, 'keys'));
  if (keys === undefined) throw new Error(`"${lab}" has no keys`);
  const content = join(folder, 'guide');
  const bundle = join(folder, guideBundle);
  mkdirSync(content);
  copyFileSync(join(lab, 'rootfs.ext4'), join(content, 'rootfs.ext4'));
  copyFileSync(join(import.meta.dir, 'hook.sh'), join(content, 'hook'));
  writeFileSync(join(content, 'manifest.raucm'), manifest);
  const run = command({ deadlineMs: toolMs });
  const signer = ['--cert', keys.certificatePath, '--key', keys.keyPath, '--keyring', keys.keyringPath];
  await run`rauc bundle ${signer} ${'--mksquashfs-args=-comp lz4'} ${content} ${bundle}`;
  const bundles = join(folder, 'bundles.img');
  copyFileSync(images.bundles, bundles);
  const script = join(folder, 'shelf.debugfs');
  writeFileSync(script, `rm /0.9.0.raucb\nwrite ${bundle} /${guideBundle}\n`);
  await run`debugfs -w -f ${script} ${bundles}`;
  return { ...images, bundles };
}
