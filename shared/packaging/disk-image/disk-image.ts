import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Failure, reasonOf } from '../../system/failure.ts';
import { formatBytes } from '../../system/files/disk.ts';
import { command } from '../../system/process/command.ts';
import type { Board, BoardPartition } from '../board/board.ts';
import { initialEnvironment } from '../board/initial-environment.ts';
import { requireTool } from '../device/host.ts';
import { genimageConfig } from './genimage.ts';
import type { DiskImageOptions } from './options.ts';
import { makeBoot, makeData, makeSlot } from './partitions.ts';

const mib = 1024 * 1024;
const toolMs = 60 * 60_000;
const what = 'make an image';
const toolPackages = {
  genimage: 'genimage',
  'mkfs.vfat': 'dosfstools',
  mcopy: 'mtools',
  mkimage: 'u-boot-tools',
  fw_setenv: 'libubootenv-tool',
  resize2fs: 'e2fsprogs',
};

/**
 * Makes the whole disk as a sparse file: both slots filled, so that the first update has a fallback, and U-Boot's
 * environment if the board keeps it on the disk. Throws a Failure; then an older image of that name stays.
 */
export async function makeDiskImage(options: DiskImageOptions): Promise<void> {
  const { board, partitions, output, log } = options;
  for (const [tool, debianPackage] of Object.entries(toolPackages)) requireTool(tool, debianPackage, what);
  // In the output's folder, so that the rename at the end stays on one file system.
  const work = mkdtempSync(`${output}.`);
  try {
    const sizeOf = (label: BoardPartition['label']): number =>
      partitions.find((partition) => partition.label === label)?.sizeMiB ?? 0;
    requireRoom(options.facts.bytes, sizeOf('rootfs-a'));
    await log.step('Filling', 'Filled', 'the partitions', async () => {
      await makeBoot(join(work, 'boot.vfat'), sizeOf('boot'), work, options);
      await makeSlot(join(work, 'slot.ext4'), sizeOf('rootfs-a'), options);
      await makeData(join(work, 'data.ext4'), sizeOf('data'), work, options);
    });
    await log.step('Joining', 'Joined', `the disk of "${board.name}"`, () => joinDisk(work, options));
    await writeEnvironment(join(work, 'disk.img'), work, board);
    renameSync(join(work, 'disk.img'), output);
  } catch (error) {
    if (error instanceof Failure && error.outcome !== 'failed') throw error;
    throw new Failure(`Cannot make the image "${output}": ${reasonOf(error)}`, { cause: error });
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function requireRoom(bytes: number, slotMiB: number): void {
  if (bytes <= slotMiB * mib) return;
  const reason = `its ${formatBytes(bytes)} do not fit into slots of ${slotMiB} MiB`;
  throw new Failure(`Cannot fill the slots with the root file system: ${reason}`, {
    outcome: 'usage',
    advice: 'Give --slot-mib',
  });
}

async function joinDisk(work: string, options: DiskImageOptions): Promise<void> {
  const { board, partitions, facts, signal } = options;
  const files = { boot: 'boot.vfat', 'rootfs-a': 'slot.ext4', 'rootfs-b': 'slot.ext4', data: 'data.ext4' };
  const identity = `homie disk ${board.name} ${facts.version}`;
  const config = join(work, 'genimage.cfg');
  writeFileSync(config, genimageConfig({ partitions, files, identity, output: 'disk.img' }));
  for (const name of ['empty', 'scratch']) mkdirSync(join(work, name));
  const places = ['--rootpath', join(work, 'empty'), '--tmppath', join(work, 'scratch')];
  const run = command({ deadlineMs: toolMs, signal, cwd: work });
  await run`genimage --config ${config} --inputpath ${work} --outputpath ${work} ${places}`;
}

/** Writes the copies with fw_setenv, the device's own tool, at the places where the device looks for them. */
async function writeEnvironment(disk: string, work: string, { environment }: Board): Promise<void> {
  if (environment.kind !== 'disk') return;
  const config = join(work, 'fw_env.config');
  const lines = environment.copies.map(
    ({ offsetBytes, sizeBytes }) => `${disk} 0x${offsetBytes.toString(16)} 0x${sizeBytes.toString(16)}\n`,
  );
  writeFileSync(config, lines.join(''));
  const initial = join(work, 'initial');
  writeFileSync(initial, initialEnvironment);
  const run = command({ deadlineMs: toolMs, cwd: dirname(disk) });
  // Once for each copy: fw_setenv writes the older of the two.
  for (const _ of environment.copies) await run`fw_setenv -c ${config} -f ${initial} -s ${initial}`;
}

/** Makes the block map that bmaptool needs to write a card, and the image compressed for a network. Returns both paths. */
export async function packDiskImage(
  image: string,
  signal?: AbortSignal,
): Promise<{ map: string; packed: string }> {
  const run = command({ deadlineMs: toolMs, signal });
  requireTool('bmaptool', 'bmap-tools', what);
  requireTool('zstd', 'zstd', what);
  const map = image.replace(/(\.img)?$/, '.bmap');
  const packed = `${image}.zst`;
  await run`bmaptool create ${image} -o ${map}`;
  await run`zstd -q -f -T0 -3 ${image} -o ${packed}`;
  return { map, packed };
}

export function nameOfImage(board: Board, version: string): string {
  return `homie-${board.name}-v${version}.img`;
}
