import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { command } from '../../../shared/system/process/command.ts';
import { uBoot } from '../board/firmware.ts';
import type { Slot } from '../boot-model.ts';

/** A disk for the real U-Boot, and U-Boot on it: what a bench needs to try boot scripts without a kernel. */

export const mib = 1024 * 1024;
/** Behind the partitions that the scripts know, a bench has room of its own. */
export const benchMiB = 40;
const bootsMs = 300_000;
const toolMs = 60_000;

export interface BenchScripts {
  /** What U-Boot runs. */
  bench: string;
  /** What that one may run in turn, at 0x48000000 in memory. */
  tried: string;
}

/** The first lines of a bench: U-Boot's variables name the disk that it was found on. */
export const loadTried = `load \${devtype} \${devnum}:\${distro_bootpart} 0x48000000 tried.scr\n`;

/** A kernel is a file that can be read: it is never started. */
export async function layOut(
  folder: string,
  disk: string,
  wish: { roomMiB: number; loadable: readonly Slot[] },
): Promise<void> {
  const run = command({ deadlineMs: toolMs });
  writeFileSync(disk, '');
  truncateSync(disk, (benchMiB + wish.roomMiB + 2) * mib);
  const table = join(folder, 'table');
  const partitions = [
    'start=2048, size=32768, name=boot, attrs=LegacyBIOSBootable',
    'size=16384, name=rootfs-a',
    'size=16384, name=rootfs-b',
    'name=data',
  ];
  writeFileSync(table, `label: gpt\n${partitions.join('\n')}\n`);
  await run`/usr/sbin/sfdisk --quiet --no-reread --no-tell-kernel ${disk} < ${table}`;
  const root = join(folder, 'root');
  await run`mkdir -p ${`${root}/boot`}`;
  for (const file of ['vmlinuz', 'initrd.img']) writeFileSync(join(root, 'boot', file), 'not started');
  for (const [slot, startMiB] of [
    ['A', 17],
    ['B', 25],
  ] as const) {
    if (!wish.loadable.includes(slot)) continue;
    const image = join(folder, `${slot}.ext4`);
    await run`rm -f ${image}`;
    await run`/usr/sbin/mkfs.ext4 -q -F -O none,ext_attr,dir_index,filetype,extent,64bit,sparse_super,large_file -d ${root} ${image} 8M`;
    await run`dd if=${image} of=${disk} bs=1M seek=${startMiB} conv=notrunc,sparse status=none`;
  }
}

export async function writeScripts(folder: string, disk: string, scripts: BenchScripts): Promise<void> {
  const run = command({ deadlineMs: toolMs });
  const partition = join(folder, 'boot.vfat');
  writeFileSync(partition, '');
  truncateSync(partition, 16 * mib);
  await run`/usr/sbin/mkfs.vfat ${partition}`;
  for (const [name, text] of [
    ['boot.scr', scripts.bench],
    ['tried.scr', scripts.tried],
  ] as const) {
    const source = join(folder, `${name}.cmd`);
    writeFileSync(source, text);
    await run`mkimage -A arm64 -T script -C none -d ${source} ${join(folder, name)}`;
    await run`mcopy -o -i ${partition} ${join(folder, name)} ${`::${name}`}`;
  }
  await run`dd if=${partition} of=${disk} bs=1M seek=1 conv=notrunc,sparse status=none`;
}

/** What U-Boot says until it switches itself off. */
export async function runUBoot(disk: string): Promise<string> {
  const machine = ['-M', 'virt', '-cpu', 'cortex-a57', '-m', '256', '-display', 'none', '-monitor', 'none'];
  const uboot = ['-bios', uBoot, '-serial', 'stdio', '-net', 'none', '-no-reboot'];
  const drive = [
    '-drive',
    `if=none,id=d,file=${disk},format=raw,cache=unsafe`,
    '-device',
    'virtio-blk-pci,drive=d',
  ];
  const { stdout } = await command({
    deadlineMs: bootsMs,
  })`qemu-system-aarch64 ${[...machine, ...uboot, ...drive]}`;
  return stdout;
}
