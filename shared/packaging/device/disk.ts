import { closeSync, ftruncateSync, openSync, statSync, writeFileSync } from 'node:fs';
import { Failure } from '../../system/failure.ts';
import { onHost } from './host.ts';
import { attachLoop } from './loop-device.ts';

export interface SizesMiB {
  boot: number;
  slot: number;
  data: number;
}

/** The PARTLABELs of the real disk; file systems that are formatted here get the same labels (FAT: in capitals). */
const partitionNames = ['boot', 'rootfs-a', 'rootfs-b', 'data'] as const;
type PartitionName = (typeof partitionNames)[number];

/** The block device of each partition. */
export type Partitions = Readonly<Record<PartitionName, string>>;

interface Partition {
  name: PartitionName;
  startMiB: number;
  sizeMiB: number;
}

const mib = 1024 * 1024;
const sectorsPerMiB = mib / 512;
/** Features that Linux 4.9 can mount and an old resize2fs can grow; named, because mke2fs.conf differs from host to host. */
export const ext4Features =
  'none,has_journal,ext_attr,resize_inode,dir_index,filetype,extent,64bit,flex_bg,sparse_super,large_file,huge_file,dir_nlink,extra_isize,metadata_csum';

function layOutDisk(sizes: SizesMiB): Partition[] {
  const sizeOf = { boot: sizes.boot, 'rootfs-a': sizes.slot, 'rootfs-b': sizes.slot, data: sizes.data };
  let startMiB = 1;
  return partitionNames.map((name) => {
    const partition = { name, startMiB, sizeMiB: sizeOf[name] };
    startMiB += partition.sizeMiB;
    return partition;
  });
}

export interface DiskOptions {
  image: string;
  /** The folder for the partitions' device nodes; each node has the name of its partition. */
  nodeFolder: string;
  sizes: SizesMiB;
  rootfsImage?: string | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * Makes one sparse disk with a GPT; both slots hold the same system, as they leave the factory. The kernel is not asked to
 * read the table, because udev does not run here.
 */
export async function createDisk(options: DiskOptions): Promise<Partitions> {
  const { image, sizes, rootfsImage, signal } = options;
  const partitions = layOutDisk(sizes);
  if (rootfsImage !== undefined) checkFits(rootfsImage, sizes.slot);
  const endMiB = partitions.reduce((end, { sizeMiB }) => end + sizeMiB, 1);
  const descriptor = openSync(image, 'wx', 0o600);
  ftruncateSync(descriptor, (endMiB + 1) * mib);
  closeSync(descriptor);
  await writePartitionTable(image, partitions, signal);
  return await fillPartitions(partitions, options);
}

async function fillPartitions(partitions: readonly Partition[], options: DiskOptions): Promise<Partitions> {
  const { image, nodeFolder, rootfsImage, signal } = options;
  const devices: Record<PartitionName, string> = { boot: '', 'rootfs-a': '', 'rootfs-b': '', data: '' };
  for (const { name, startMiB, sizeMiB } of partitions) {
    const carriesImage = name.startsWith('rootfs') && rootfsImage !== undefined;
    // Write the image before the loop device exists: the cache of the loop device would not see a later change.
    if (carriesImage)
      await onHost({
        signal,
      })`dd if=${rootfsImage} of=${image} bs=1M seek=${startMiB} conv=notrunc,sparse status=none`;
    const device = await attachLoop({
      image,
      offsetBytes: startMiB * mib,
      sizeBytes: sizeMiB * mib,
      node: `${nodeFolder}/${name}`,
      signal,
    });
    devices[name] = device;
    if (name === 'boot') await onHost({ signal })`mkfs.vfat -n BOOT ${device}`;
    else if (!carriesImage) await formatExt4(device, name, signal);
  }
  return devices;
}

function checkFits(rootfsImage: string, slotMiB: number): void {
  const size = statSync(rootfsImage, { throwIfNoEntry: false })?.size;
  if (size === undefined)
    throw new Failure(`Cannot fill the slots with "${rootfsImage}": no such file or folder`);
  if (size > slotMiB * mib)
    throw new Failure(
      `Cannot fill the slots with "${rootfsImage}": its ${Math.ceil(size / mib)} MiB do not fit in ${slotMiB} MiB`,
      { advice: 'Make the slots larger' },
    );
}

async function writePartitionTable(
  image: string,
  partitions: readonly Partition[],
  signal: AbortSignal | undefined,
): Promise<void> {
  const lines = partitions.map(
    ({ name, startMiB, sizeMiB }) =>
      `start=${startMiB * sectorsPerMiB}, size=${sizeMiB * sectorsPerMiB}, name="${name}"`,
  );
  const script = `${image}.sfdisk`;
  writeFileSync(script, `label: gpt\n${lines.join('\n')}\n`);
  await onHost({ signal })`sfdisk --quiet --no-reread --no-tell-kernel ${image} < ${script}`;
}

async function formatExt4(device: string, label: string, signal: AbortSignal | undefined): Promise<void> {
  await onHost({ signal })`mkfs.ext4 -q -F -L ${label} -O ${ext4Features} ${device}`;
}
