import { mkdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Outcome } from '../../system/exit-code.ts';
import { formatBytes } from '../../system/files/disk.ts';
import type { Running } from '../../system/process/program.ts';
import type { OptionSpec, Values } from '../../system/terminal/arguments.ts';
import { print } from '../../system/terminal/print.ts';
import { programVersion } from '../../system/version.ts';
import { readBoard } from '../board/board.ts';
import { makeBootScript } from '../boot-script/boot-script-file.ts';
import { buildTime } from '../bundle/manifest.ts';
import { requireCard } from '../disk-image/card.ts';
import { makeDiskImage, nameOfImage, packDiskImage } from '../disk-image/disk-image.ts';
import { sizedPartitions } from '../disk-image/genimage.ts';
import { readRootfs } from '../disk-image/rootfs-facts.ts';
import { project } from '../project.ts';
import { mibIn, required } from './rootfs.ts';

const imageMs = 2 * 60 * 60_000;
const mib = 1024 * 1024;

export const imageOptions = {
  board: { type: 'string', describe: 'What it boots on: a folder in bundle-skeleton/boards/', value: 'NAME' },
  rootfs: { type: 'string', describe: 'Else dist/rootfs-<board>-v<version>.ext4', value: 'FILE' },
  'slot-mib': { type: 'string', describe: "Of each slot, else the board's", value: 'MIB' },
  'data-mib': { type: 'string', describe: "Of the data partition, else the board's", value: 'MIB' },
  device: { type: 'string', describe: 'The card it is meant for; looked at, never written', value: '/dev/…' },
  raw: { type: 'boolean', describe: 'The image alone, without block map and zstd' },
  output: { type: 'string', describe: 'Else dist/homie-<board>-v<version>.img', value: 'FILE' },
} satisfies Record<string, OptionSpec>;

export async function buildImage(values: Values, { log, signal, ...running }: Running): Promise<Outcome> {
  running.allow(imageMs);
  const board = readBoard(required(values, 'board'));
  const usual = join(project.dist, `rootfs-${board.name}-v${programVersion}.ext4`);
  const rootfs = resolve(values.text('rootfs') ?? usual);
  const sizes = { slotMiB: mibIn(values, 'slot-mib'), dataMiB: mibIn(values, 'data-mib') };
  const partitions = sizedPartitions(board, sizes);
  const device = values.text('device');
  // One MiB before the first partition, one after the last for the second partition table.
  const bytes = (partitions.reduce((sum, { sizeMiB }) => sum + sizeMiB, 0) + 2) * mib;
  if (device !== undefined) await requireCard(device, bytes);
  const facts = await readRootfs(rootfs, board);

  mkdirSync(project.dist, { recursive: true });
  const output = resolve(values.text('output') ?? join(project.dist, nameOfImage(board, facts.version)));
  const time = buildTime();
  const script = (path: string): Promise<void> => makeBootScript(board, time, path);
  await makeDiskImage({
    board,
    partitions,
    rootfs,
    facts,
    makeBootScript: script,
    time,
    output,
    log,
    signal,
  });
  if (values.flag('raw')) {
    print(1, `${output}\n`);
    return 'done';
  }
  const { map, packed } = await log.step('Packing', 'Packed', `"${output}"`, () =>
    packDiskImage(output, signal),
  );
  const card = device ?? '/dev/sdX';
  print(
    1,
    `${packed}: version ${facts.version} for "${board.name}", ${formatBytes(statSync(packed).size)}, ${formatBytes(bytes)} on the card
To write it${device === undefined ? ', with the card in place of sdX' : ''}:

  bmaptool copy --bmap ${map} ${packed} ${card}
`,
  );
  return 'done';
}
