import { closeSync, openSync, readSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { type Board, readBoard } from '../../../shared/packaging/board.ts';
import { bootScriptParts, savedVariables } from '../../../shared/packaging/boot-script.ts';
import { command } from '../../../shared/system/command.ts';
import type { Slot } from '../boot-model.ts';

/**
 * The boot script in the real U-Boot, without a kernel: from many saved environments, some boots in a row each. The
 * script is the one that ships, but for its last part, which would start a kernel.
 */

/** The bytes of both copies. */
export type SavedEnvironment = Buffer;

/** One line of U-Boot's: `undefined` where the script found nothing to boot. */
export interface ScriptBoot {
  slot: Slot | undefined;
  report: string;
}

export interface ScriptRun {
  boots: ScriptBoot[];
  /** What is on the disk after the last of them. */
  after: SavedEnvironment;
}

const mib = 1024 * 1024;
const blockBytes = 512;
const statesMiB = 40;
const bootsMs = 300_000;
const toolMs = 60_000;

/** Runs `boots` boots from each environment, on a disk where only some slots carry a kernel. */
export async function runScript(
  folder: string,
  states: readonly SavedEnvironment[],
  wish: { boots: number; loadable: readonly Slot[] },
): Promise<ScriptRun[]> {
  const board = readBoard('qemu-arm64');
  const disk = join(folder, 'disk.img');
  await layOut(folder, disk, states.length, wish.loadable);
  await writeScript(folder, disk, benchScript(board, states.length, wish.boots));
  const stateBytes = states[0]?.length ?? 0;
  const file = openSync(disk, 'r+');
  try {
    for (const [index, state] of states.entries())
      writeSync(file, state, 0, stateBytes, statesMiB * mib + index * stateBytes);
    const words = await boot(disk);
    const boots = bootsOf(words);
    return states.map((_, index) => {
      const after = Buffer.alloc(stateBytes);
      readSync(file, after, 0, stateBytes, statesMiB * mib + index * stateBytes);
      return { boots: boots.slice(index * wish.boots, (index + 1) * wish.boots), after };
    });
  } finally {
    closeSync(file);
  }
}

/** A kernel is a file that can be read: it is never started. */
async function layOut(
  folder: string,
  disk: string,
  states: number,
  loadable: readonly Slot[],
): Promise<void> {
  const run = command({ deadlineMs: toolMs });
  writeFileSync(disk, '');
  truncateSync(disk, (statesMiB + Math.ceil(states / 16) + 2) * mib);
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
    if (!loadable.includes(slot)) continue;
    const image = join(folder, `${slot}.ext4`);
    await run`rm -f ${image}`;
    await run`/usr/sbin/mkfs.ext4 -q -F -O none,ext_attr,dir_index,filetype,extent,64bit,sparse_super,large_file -d ${root} ${image} 8M`;
    await run`dd if=${image} of=${disk} bs=1M seek=${startMiB} conv=notrunc,sparse status=none`;
  }
}

function benchScript(board: Board, states: number, boots: number): { bench: string; choose: string } {
  const choose = bootScriptParts(board).choose;
  const stateBlocks = ((board.environment.copies[0]?.sizeBytes ?? 0) * 2) / blockBytes;
  const first = (board.environment.copies[0]?.offsetBytes ?? 0) / blockBytes;
  const hex = (value: number): string => `0x${value.toString(16)}`;
  const places = Array.from({ length: states }, (_, index) =>
    hex((statesMiB * mib) / blockBytes + index * stateBlocks),
  );
  const move = (from: string, to: string) =>
    `  virtio read 0x49000000 ${from} ${hex(stateBlocks)}\n  virtio write 0x49000000 ${to} ${hex(stateBlocks)}\n`;
  const loops: string[] = [];
  // U-Boot takes no endless lines.
  for (let from = 0; from < places.length; from += 40) {
    loops.push(`for b_place in ${places.slice(from, from + 40).join(' ')}; do
${move(`\${b_place}`, hex(first))}  for b_boot in ${Array.from({ length: boots }, (_, index) => index).join(' ')}; do
${savedVariables.map((name) => `    setenv ${name}\n`).join('')}    source 0x48000000
    echo "BOOT \${h_slot} \${h_report}"
  done
${move(hex(first), `\${b_place}`)}done
`);
  }
  const load = `load \${devtype} \${devnum}:\${distro_bootpart} 0x48000000 choose.scr\n`;
  return { bench: `${load}${loops.join('')}poweroff\n`, choose };
}

async function writeScript(
  folder: string,
  disk: string,
  scripts: { bench: string; choose: string },
): Promise<void> {
  const run = command({ deadlineMs: toolMs });
  const partition = join(folder, 'boot.vfat');
  writeFileSync(partition, '');
  truncateSync(partition, 16 * mib);
  await run`/usr/sbin/mkfs.vfat ${partition}`;
  for (const [name, text] of [
    ['boot.scr', scripts.bench],
    ['choose.scr', scripts.choose],
  ] as const) {
    const source = join(folder, `${name}.cmd`);
    writeFileSync(source, text);
    await run`mkimage -A arm64 -T script -C none -d ${source} ${join(folder, name)}`;
    await run`mcopy -o -i ${partition} ${join(folder, name)} ${`::${name}`}`;
  }
  await run`dd if=${partition} of=${disk} bs=1M seek=1 conv=notrunc,sparse status=none`;
}

async function boot(disk: string): Promise<string> {
  const machine = ['-M', 'virt', '-cpu', 'cortex-a57', '-m', '256', '-display', 'none', '-monitor', 'none'];
  const uboot = [
    '-bios',
    '/usr/lib/u-boot/qemu_arm64/u-boot.bin',
    '-serial',
    'stdio',
    '-net',
    'none',
    '-no-reboot',
  ];
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

function bootsOf(words: string): ScriptBoot[] {
  return [...words.matchAll(/^BOOT (\S+) (\S+)\r?$/gm)].map(([, slot = '', report = '']) => ({
    slot: slot === 'A' || slot === 'B' ? slot : undefined,
    report,
  }));
}
