import type { Board, BoardPartition } from '../board/board.ts';
import { uuidFrom } from '../root/image.ts';

export interface DiskLayout {
  /** In the order of the disk. */
  partitions: readonly BoardPartition[];
  /** The file with each partition's content, by its label. */
  files: Readonly<Record<BoardPartition['label'], string>>;
  /** The UUIDs are made from this text: the same text gives the same UUIDs. */
  identity: string;
  output: string;
}

/** The board's partitions with the chosen sizes in place of the board's own; both slots have the same size. */
export function sizedPartitions(
  board: Board,
  chosen: { slotMiB?: number | undefined; dataMiB?: number | undefined },
): BoardPartition[] {
  return board.partitions.map((partition) => {
    const { label } = partition;
    const sizeMiB = label === 'data' ? chosen.dataMiB : label === 'boot' ? undefined : chosen.slotMiB;
    return { ...partition, sizeMiB: sizeMiB ?? partition.sizeMiB };
  });
}

/** genimage's configuration: a GPT in which every partition has its label, the boot partition marked for U-Boot's scan. */
export function genimageConfig({ partitions, files, identity, output }: DiskLayout): string {
  const parts = partitions.map(
    ({ label, type, sizeMiB }) => `  partition ${label} {
    image = "${files[label]}"
    size = ${sizeMiB}M
    partition-type-uuid = "${type === 'vfat' ? basicData : linuxData}"
    partition-uuid = "${uuidFrom(`${identity} ${label}`)}"${label === 'boot' ? '\n    bootable = true' : ''}
  }
`,
  );
  return `image ${output} {
  hdimage {
    partition-table-type = "gpt"
    disk-uuid = "${uuidFrom(identity)}"
    align = 1M
    fill = true
  }

${parts.join('\n')}}
`;
}

const basicData = 'ebd0a0a2-b9e5-4433-87c0-68b6b72699c7';
const linuxData = '0fc63daf-8483-4772-8e79-3d69d8477de4';
