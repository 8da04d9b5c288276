import { constants, copyFileSync, mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { command } from '../../system/process/command.ts';
import { epochSeconds } from '../bundle/manifest.ts';
import { ext4Features } from '../device/disk.ts';
import { uuidFrom } from '../root/image.ts';
import { factoryStatus } from './factory-status.ts';
import { writeOutJournal } from './journal.ts';
import type { DiskImageOptions } from './options.ts';

const mib = 1024 * 1024;
const toolMs = 60 * 60_000;

/** Makes the FAT file system from which U-Boot reads the boot script. */
export async function makeBoot(
  image: string,
  sizeMiB: number,
  work: string,
  options: DiskImageOptions,
): Promise<void> {
  const { board, time, signal } = options;
  const env = { SOURCE_DATE_EPOCH: String(epochSeconds(time)) };
  const run = command({ deadlineMs: toolMs, signal, env });
  const script = join(work, 'boot.scr');
  await options.makeBootScript(script);
  writeFileSync(image, '');
  truncateSync(image, sizeMiB * mib);
  await run`mkfs.vfat -n BOOT -i ${uuidFrom(`homie boot ${board.name}`).slice(0, 8)} ${image}`;
  await run`mcopy -i ${image} -m ${script} ::boot.scr`;
}

/** Makes the content of a slot: the root file system, grown to its slot as RAUC does after an install (resize=true). */
export async function makeSlot(
  image: string,
  sizeMiB: number,
  { rootfs, signal }: DiskImageOptions,
): Promise<void> {
  copyFileSync(rootfs, image, constants.COPYFILE_FICLONE);
  truncateSync(image, sizeMiB * mib);
  await command({ deadlineMs: toolMs, signal })`resize2fs ${image}`;
  await writeOutJournal(image);
}

/** Makes the data partition as it leaves the factory, with RAUC's slot status as if RAUC had installed the slots. */
export async function makeData(
  image: string,
  sizeMiB: number,
  work: string,
  options: DiskImageOptions,
): Promise<void> {
  const { board, facts, time, signal } = options;
  const tree = join(work, 'data');
  mkdirSync(join(tree, 'rauc'), { recursive: true, mode: 0o755 });
  const status = factoryStatus({ ...facts, compatible: board.compatible, time });
  writeFileSync(join(tree, 'rauc', 'central.raucs'), status);
  const run = command({
    deadlineMs: toolMs,
    signal,
    env: { E2FSPROGS_FAKE_TIME: String(epochSeconds(time)) },
  });
  const id = uuidFrom(`homie data ${board.name} ${facts.version}`);
  const layout = ['-b', '4096', '-I', '256', '-L', 'data', '-U', id, '-O', ext4Features];
  await run`mkfs.ext4 -q -F ${layout} -E ${`root_owner=0:0,hash_seed=${id},lazy_itable_init=1,lazy_journal_init=0`} -d ${tree} ${image} ${`${sizeMiB}M`}`;
  const owners = ['/rauc', '/rauc/central.raucs'].flatMap((path) =>
    ['uid', 'gid'].map((field) => `set_inode_field ${path} ${field} 0\n`),
  );
  writeFileSync(join(work, 'owners'), owners.join(''));
  await run`debugfs -w -f ${join(work, 'owners')} ${image}`;
  await writeOutJournal(image);
}
