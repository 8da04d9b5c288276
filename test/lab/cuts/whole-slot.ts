import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { command } from '../../../shared/system/process/command.ts';
import { releasePath } from '../../../shared/update/slot/release.ts';
import { TempFolder } from '../../support/temp-folder.ts';
import type { LabImages } from '../images/images.ts';

/** Whether a slot of a card holds what its release holds, byte for byte. Needs root, for loop mounts. */

const toolMs = 180_000;
/** All that comes with a release and stays as it is; /etc and /var belong to the system that runs. */
const comparedFolders = ['usr', 'opt', 'boot'];
/** post-install writes the version there, which the board has been asked. */
const written = `/${releasePath} differ`;

/** The root file system in a bundle of the shelf. */
export async function extractRootfs(images: LabImages, version: string, folder: string): Promise<string> {
  const run = command({ deadlineMs: toolMs });
  const bundle = join(folder, `${version}.raucb`);
  await run`debugfs -R ${`dump /${version}.raucb ${bundle}`} ${images.bundles}`;
  await run`unsquashfs -no-progress -d ${join(folder, version)} ${bundle} rootfs.ext4`;
  rmSync(bundle);
  return join(folder, version, 'rootfs.ext4');
}

/** What is wrong with it, in words: its file system is checked as after a power cut, then its files are compared. */
export async function faultsOfSlot(
  images: LabImages,
  card: string,
  slot: string,
  rootfs: string,
): Promise<string> {
  using folder = new TempFolder();
  const image = folder.at('slot.ext4');
  const run = command({ deadlineMs: toolMs });
  const { stdout } = await run`sfdisk --json ${images.card}`;
  const { partitiontable } = JSON.parse(stdout) as {
    partitiontable: { partitions: { start: number; size: number; name: string }[] }; // sfdisk(8)
  };
  const part = partitiontable.partitions.find(({ name }) => name === `rootfs-${slot.toLowerCase()}`);
  if (part === undefined) throw new Error(`the card has no slot ${slot}`);
  const source = {
    driver: 'raw',
    offset: part.start * 512,
    size: part.size * 512,
    file: { driver: 'qcow2', file: { driver: 'file', filename: card } },
  };
  await run`qemu-img convert -O raw ${`json:${JSON.stringify(source)}`} ${image}`;
  const check = await command({ deadlineMs: toolMs, accept: 'any' })`e2fsck -f -p ${image}`;
  if (check.exitCode > 1) return `e2fsck says: ${check.stdout}${check.stderr}`;
  return await differences(folder, image, rootfs);
}

async function differences(folder: TempFolder, image: string, rootfs: string): Promise<string> {
  const run = command({ deadlineMs: toolMs });
  const [is, should] = [folder.at('is'), folder.at('should')];
  mkdirSync(is);
  mkdirSync(should);
  await run`mount -o loop,ro ${image} ${is}`;
  try {
    await run`mount -o loop,ro ${rootfs} ${should}`;
    try {
      const found: string[] = [];
      for (const name of comparedFolders) {
        const compare = command({ deadlineMs: toolMs, accept: 'any' });
        const { stdout } = await compare`diff -rq --no-dereference ${join(should, name)} ${join(is, name)}`;
        found.push(...stdout.split('\n').filter((line) => line !== '' && !line.endsWith(written)));
      }
      return found.join('; ').replaceAll(`${folder.path}/`, '');
    } finally {
      await run`umount ${should}`;
    }
  } finally {
    await run`umount ${is}`;
  }
}
