import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { type Board, readBoard } from '../../../shared/packaging/board/board.ts';
import { bootScriptParts, savedVariables } from '../../../shared/packaging/boot-script/boot-script.ts';
import type { Slot } from '../boot-model.ts';
import { type BenchScripts, benchMiB, layOut, loadTried, mib, runUBoot, writeScripts } from './uboot-disk.ts';

/**
 * The boot script in the real U-Boot, without a kernel: from many saved environments, some boots in a row each. The
 * script is the one that ships, but for its last part, which would start a kernel.
 */

/** The bytes of both copies. */
export type SavedEnvironment = Buffer;

/** One line of U-Boot's: `undefined` where the script found nothing to boot. */
interface ScriptBoot {
  slot: Slot | undefined;
  report: string;
}

export interface ScriptRun {
  boots: ScriptBoot[];
  /** What is on the disk after the last of them. */
  after: SavedEnvironment;
}

const blockBytes = 512;

/** Runs `boots` boots from each environment, on a disk where only some slots carry a kernel. */
export async function runScript(
  folder: string,
  states: readonly SavedEnvironment[],
  wish: { boots: number; loadable: readonly Slot[] },
): Promise<ScriptRun[]> {
  const board = readBoard('qemu-arm64');
  const disk = join(folder, 'disk.img');
  await layOut(folder, disk, { roomMiB: Math.ceil(states.length / 16), loadable: wish.loadable });
  await writeScripts(folder, disk, benchScript(board, states.length, wish.boots));
  const stateBytes = states[0]?.length ?? 0;
  const file = openSync(disk, 'r+');
  try {
    for (const [index, state] of states.entries())
      writeSync(file, state, 0, stateBytes, benchMiB * mib + index * stateBytes);
    const words = await runUBoot(disk);
    const boots = bootsOf(words);
    return states.map((_, index) => {
      const after = Buffer.alloc(stateBytes);
      readSync(file, after, 0, stateBytes, benchMiB * mib + index * stateBytes);
      return { boots: boots.slice(index * wish.boots, (index + 1) * wish.boots), after };
    });
  } finally {
    closeSync(file);
  }
}

function benchScript(board: Board, states: number, boots: number): BenchScripts {
  const stateBlocks = ((board.environment.copies[0]?.sizeBytes ?? 0) * 2) / blockBytes;
  const first = (board.environment.copies[0]?.offsetBytes ?? 0) / blockBytes;
  const hex = (value: number): string => `0x${value.toString(16)}`;
  const places = Array.from({ length: states }, (_, index) =>
    hex((benchMiB * mib) / blockBytes + index * stateBlocks),
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
  return { bench: `${loadTried}${loops.join('')}poweroff\n`, tried: bootScriptParts(board).choose };
}

function bootsOf(words: string): ScriptBoot[] {
  return [...words.matchAll(/^BOOT (\S+) (\S+)\r?$/gm)].map(([, slot = '', report = '']) => ({
    slot: slot === 'A' || slot === 'B' ? slot : undefined,
    report,
  }));
}
